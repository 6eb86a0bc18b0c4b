// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * callback-global: bpf_loop is given a function that is not static.
 */
#include "../skb.h"

static long (*const bpf_loop)(__u32 rounds, void *each, void *ctx, __u64 flags) = (void *)181;

long each(__u32 i, void *ctx)
{
	(void)ctx;
	return i > 5;
}

SEC("socket")
int callback_global(struct __sk_buff *skb)
{
	bpf_loop(10, each, 0, 0); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
