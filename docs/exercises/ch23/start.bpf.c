// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * start: is to report the TTL of the SYN-ACK. The IP header has 20 bytes and the TTL is byte 8 of it, so it lies 12 bytes before
 * the TCP header. Reading at -12 does not get there.
 */
#include "skb.h"

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
	bpf_skb_load_bytes(skb, -12, &ttl, sizeof(ttl));
	distance.ttl = ttl;
	bpf_ringbuf_output(&distances, &distance, sizeof(distance), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
