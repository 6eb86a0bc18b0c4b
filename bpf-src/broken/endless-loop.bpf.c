// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * endless-loop: a loop in which nothing changes never ends.
 */
#include "../skb.h"

SEC("socket")
int endless_loop(struct __sk_buff *skb)
{
	__u32 i = 0;

	while (i < 10) {
		barrier_var(i); /* here */
	}
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
