// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * all: the smallest and the largest TTL of all segments of a connection. Solution of exercise 3.
 */
#include "skb.h"

static long (*const bpf_skb_load_bytes_relative)(const void *skb, __u32 offset, void *to, __u32 len,
						 __u32 start_header) = (void *)68;
#define BPF_HDR_START_NET 1

__u64 segments;
__u32 least = 255, most;

SEC("socket")
int all(struct __sk_buff *skb)
{
	__u8 ttl = 0;

	if (skb->protocol != htons(ETH_P_IP) ||
	    bpf_skb_load_bytes_relative(skb, 8, &ttl, sizeof(ttl), BPF_HDR_START_NET) < 0)
		return skb->len;
	__sync_fetch_and_add(&segments, 1);
	if (ttl < least)
		least = ttl;
	if (ttl > most)
		most = ttl;
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
