// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2 of chapter 16: drops packets of which more than half are zeros. bpf_loop looks at one byte after the other.
 */
#include "skb.h"

static long (*const bpf_loop)(__u32 rounds, void *each, void *ctx, __u64 flags) = (void *)181;

struct zeros {
	struct __sk_buff *skb;
	__u32 count;
};

long each(__u32 i, struct zeros *zeros)
{
	__u8 byte = 1;

	bpf_skb_load_bytes(zeros->skb, i, &byte, 1);
	if (byte == 0)
		zeros->count++;
	return 0;
}

SEC("socket")
int zeros(struct __sk_buff *skb)
{
	struct zeros zeros = { skb, 0 };

	bpf_loop(skb->len, each, &zeros, 0);
	return zeros.count > skb->len / 2 ? 0 : skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
