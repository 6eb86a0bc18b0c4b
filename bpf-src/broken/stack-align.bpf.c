// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * stack-align: eight bytes on the stack are written at an address that is no multiple of eight.
 */
#include "../skb.h"

SEC("socket")
int stack_align(struct __sk_buff *skb)
{
	volatile __u8 bytes[16] __attribute__((aligned(8))) = {};
	volatile __u8 *at = &bytes[1];

	barrier_var(at);
	*(volatile __u64 *)at = skb->len; /* here */
	return bytes[1] ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
