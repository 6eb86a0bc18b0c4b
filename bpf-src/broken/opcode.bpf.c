// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * opcode: eight bytes that are no instruction: the second slot of lddw, without the first.
 */
#include "../skb.h"

SEC("socket")
int opcode(struct __sk_buff *skb)
{
	asm volatile("r0 = 1\n.quad 0" : : : "r0"); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
