// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * lddw-middle: a jump leads to the second slot of lddw.
 */
#include "../skb.h"

SEC("socket")
int lddw_middle(struct __sk_buff *skb)
{
	asm volatile("if %0 == 0 goto +1\nr0 = 1 ll" : : "r"(skb->len) : "r0"); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
