// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * hops: reports the TTL with which the answer to our SYN arrived, and how many routers that makes. For a TCP client socket.
 *
 * A filter that is attached before connect(2) sees the SYN-ACK, the first packet from the server. Byte 0 is its TCP header; the
 * TTL lies before that, in the IP header, which bpf_skb_load_bytes_relative still reaches.
 */
#include "net.h"

#define TCP_FLAGS 13 /* offset into the TCP header */
#define SYN_ACK 0x12
#define TTL 8 /* offset into the IPv4 header */
#define HOP_LIMIT 7 /* offset into the IPv6 header */

struct distance {
	__u32 ttl; /* as it arrived */
	__u32 sent; /* as it was sent, most likely: 64, 128 or 255 */
	__u32 hops; /* routers on the way back */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} distances SEC(".maps");

struct distance *distance_layout;

SEC("socket")
int hops(struct __sk_buff *skb)
{
	__u32 at = skb->protocol == htons(ETH_P_IPV6) ? HOP_LIMIT : TTL;
	struct distance distance = {};
	__u8 flags = 0, ttl = 0;

	if (bpf_skb_load_bytes(skb, TCP_FLAGS, &flags, sizeof(flags)) < 0 || (flags & SYN_ACK) != SYN_ACK)
		return skb->len;
	if (bpf_skb_load_bytes_relative(skb, at, &ttl, sizeof(ttl), BPF_HDR_START_NET) < 0)
		return skb->len;
	distance.ttl = ttl;
	distance.sent = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
	distance.hops = distance.sent - distance.ttl;
	bpf_ringbuf_output(&distances, &distance, sizeof(distance), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
