// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * too-complex: a loop with an end, but one that is too far away: the verifier walks every round.
 */
#include "../skb.h"

SEC("socket")
int too_complex(struct __sk_buff *skb)
{
	__u32 i = 0;

	while (i < 1000000) {
		i += 1; /* here */
		barrier_var(i);
	}
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
