// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * callback-records: bpf_loop is given a function that the object has no record of; so no function of this program has one, and no line.
 */
#include "../skb.h"

static long (*const bpf_loop)(__u32 rounds, void *each, void *ctx, __u64 flags) = (void *)181;

extern long each(__u32 i, void *ctx);
asm(".text\n.type each,@function\neach:\nr0 = 0\nexit\n.size each, 16");

SEC("socket")
int callback_records(struct __sk_buff *skb)
{
	bpf_loop(10, each, 0, 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
