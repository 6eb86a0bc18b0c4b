// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * stack-buffer: the buffer on the stack is smaller than what is copied into it.
 */
#include "../skb.h"

SEC("socket")
int stack_buffer(struct __sk_buff *skb)
{
	__u8 header[20] = {};

	bpf_skb_load_bytes(skb, 0, header, 40); /* here */
	return header[0] ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
