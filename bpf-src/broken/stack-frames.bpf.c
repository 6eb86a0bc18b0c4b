// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * stack-frames: each function fits into the 512 bytes of the stack; together they do not.
 */
#include "../skb.h"

static __attribute__((noinline)) int inner(__u32 len)
{
	volatile __u8 bytes[300] = {};

	return bytes[len & 127];
}

SEC("socket")
int stack_frames(struct __sk_buff *skb)
{
	volatile __u8 bytes[300] = {};

	bytes[0] = inner(skb->len); /* here */
	return bytes[0] ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
