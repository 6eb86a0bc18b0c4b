// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Reads a field of the kernel's own struct sk_buff: how many bytes of memory a packet takes. __sk_buff does not have it.
 */
#include "skb.h"

struct sk_buff {
	unsigned int len;
	unsigned int truesize;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *ctx) __attribute__((section(".ksyms")));

__u32 length, memory;

SEC("socket")
int truesize(struct __sk_buff *ctx)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);

	length = skb->len;
	memory = skb->truesize;
	return ctx->len;
}

char _license[] SEC("license") = "GPL";
