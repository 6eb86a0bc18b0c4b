// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * lddw-halves: lddw takes two slots; here its first one stands alone, and another instruction follows.
 */
#include "../skb.h"

SEC("socket")
int lddw_halves(struct __sk_buff *skb)
{
	asm volatile(".byte 0x18, 0, 0, 0\n.long 1" : : : "r0"); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
