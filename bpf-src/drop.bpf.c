// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * drop: drops packets longer than a limit that is chosen before the load.
 *
 * Lesson: configuration. A `volatile const` global lies in `.rodata`. The loader may write it before the load
 * (`--set longer_than=100`); then the map is frozen, the verifier knows the value, and code that it rules out is gone.
 *
 * On a TCP connection a dropped packet is sent again and again: the connection stalls, and minibpf says why.
 */
#include "skb.h"

volatile const __u32 longer_than = 0xffffffff; /* bytes, the transport header included */

__u64 dropped;

SEC("socket")
int drop(struct __sk_buff *skb)
{
	if (skb->len <= longer_than)
		return skb->len;

	__sync_fetch_and_add(&dropped, 1);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
