// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * start: keeps the first bytes of the payload of the last UDP datagram from each known port.
 */
#include "skb.h"

struct sample {
	__u32 len;
	__u8 bytes[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u16);
	__type(value, struct sample);
} samples SEC(".maps");

SEC("socket")
int sample(struct __sk_buff *skb)
{
	struct sample *kept;
	__u16 port = 0;

	bpf_skb_load_bytes(skb, 0, &port, sizeof(port));
	kept = bpf_map_lookup_elem(&samples, &port);
	kept->len = skb->len;
	bpf_skb_load_bytes(skb, 8, kept->bytes, skb->len - 8);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
