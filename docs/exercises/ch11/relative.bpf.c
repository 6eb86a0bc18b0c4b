// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * relative: reads the first byte of the IP header, the TTL and the EtherType, wherever byte 0 is.
 */
#include "skb.h"

static long (*const bpf_skb_load_bytes_relative)(const void *skb, __u32 offset, void *to, __u32 len,
						 __u32 start_header) = (void *)68;
#define BPF_HDR_START_MAC 0
#define BPF_HDR_START_NET 1

struct found {
	__u32 len; /* skb->len */
	int net_error; /* what the helper returned: 0, or a negative errno */
	__u32 version_ihl; /* 0x45: IPv4, five words of header */
	__u32 ttl;
	int mac_error;
	__u32 ethertype;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} packets SEC(".maps");

struct found *found_layout;

SEC("socket")
int relative(struct __sk_buff *skb)
{
	struct found found = { .len = skb->len };
	__u8 net[9] = {};
	__u16 ethertype = 0;

	found.net_error = bpf_skb_load_bytes_relative(skb, 0, net, sizeof(net), BPF_HDR_START_NET);
	found.version_ihl = net[0];
	found.ttl = net[8];
	found.mac_error = bpf_skb_load_bytes_relative(skb, 12, &ethertype, sizeof(ethertype), BPF_HDR_START_MAC);
	found.ethertype = ntohs(ethertype);
	bpf_ringbuf_output(&packets, &found, sizeof(found), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
