// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * kernel-type: a struct of the kernel is read at the offset that its field has in this file, and not in the kernel.
 */
#include "../bpf.h"

struct sk_buff {
	__u32 len;
};

extern void *bpf_cast_to_kern_ctx(void *ctx) __attribute__((section(".ksyms")));

SEC("socket")
int kernel_type(void *ctx)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);

	return skb->len; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
