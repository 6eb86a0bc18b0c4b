// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * pass: the smallest filter worth loading.
 *
 * Lesson: the context and the verdict. r1 points to a `struct __sk_buff`; the return value is how many bytes of the
 * packet to keep. `skb->len` keeps the packet whole, 0 drops it, anything between trims it.
 *
 * No map, no global, no call: nothing in this object needs patching.
 */
#include "skb.h"

SEC("socket")
int pass(struct __sk_buff *skb)
{
	__u32 version = 0;

	if (skb->protocol == htons(ETH_P_IP))
		version = 4;
	else if (skb->protocol == htons(ETH_P_IPV6))
		version = 6;

	/* cb[] is the only part of the context that a socket filter may write: scratch space, gone with this run.
	 * A test run of the program (BPF_PROG_TEST_RUN) hands it back. */
	skb->cb[0] = version;

	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
