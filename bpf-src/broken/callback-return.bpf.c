// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * callback-return: the function that bpf_loop calls says 0, go on, or 1, stop; it says something else.
 */
#include "../skb.h"

static long (*const bpf_loop)(__u32 rounds, void *each, void *ctx, __u64 flags) = (void *)181;

static long each(__u32 i, void *ctx)
{
	(void)ctx;
	return i; /* here */
}

SEC("socket")
int callback_return(struct __sk_buff *skb)
{
	bpf_loop(10, each, 0, 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
