// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * stack-index: an index that may lie outside an array on the stack.
 */
#include "../skb.h"

SEC("socket")
int stack_index(struct __sk_buff *skb)
{
	volatile __u8 bytes[16] = {};

	bytes[skb->len & 31] = 1; /* here */
	return bytes[0] ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
