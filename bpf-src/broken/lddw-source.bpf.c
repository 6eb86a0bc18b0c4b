// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * lddw-source: src of lddw says what its number is; src 1 is a map's descriptor, and that has 32 bits.
 */
#include "../skb.h"

SEC("socket")
int lddw_source(struct __sk_buff *skb)
{
	asm volatile(".byte 0x18, 0x10, 0, 0\n.long 1\n.long 0\n.long 1" : : : "r0"); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
