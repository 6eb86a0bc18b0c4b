// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ttl: reports the TTL of the SYN-ACK. Solution of exercise 1.
 */
#include "skb.h"

static long (*const bpf_skb_load_bytes_relative)(const void *skb, __u32 offset, void *to, __u32 len,
						 __u32 start_header) = (void *)68;
#define BPF_HDR_START_NET 1

struct distance {
	__u32 ttl;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} distances SEC(".maps");

struct distance *distance_layout;

SEC("socket")
int hops(struct __sk_buff *skb)
{
	struct distance distance = {};
	__u8 flags = 0, ttl = 0;

	bpf_skb_load_bytes(skb, 13, &flags, sizeof(flags));
	if ((flags & 0x12) != 0x12)
		return skb->len;
	bpf_skb_load_bytes_relative(skb, 8, &ttl, sizeof(ttl), BPF_HDR_START_NET);
	distance.ttl = ttl;
	bpf_ringbuf_output(&distances, &distance, sizeof(distance), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
