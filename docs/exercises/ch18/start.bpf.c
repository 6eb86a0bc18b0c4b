// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2 of chapter 18: drops packets that take more than 1000 bytes of memory.
 */
#include "skb.h"

struct sk_buff {
	unsigned char truesize[4];
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *ctx) __attribute__((section(".ksyms")));

SEC("socket")
int small(struct __sk_buff *ctx)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);

	return *(__u32 *)skb->truesize > 1000 ? 0 : ctx->len;
}

char _license[] SEC("license") = "GPL";
