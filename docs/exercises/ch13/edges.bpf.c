// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * edges: what bpf_skb_load_bytes says at the edges of the packet. Solution of exercise 4.
 */
#include "skb.h"

struct edges {
	int last; /* one byte at offset skb->len - 1 */
	int behind; /* one byte at offset skb->len */
	int before; /* one byte at offset -1 */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} results SEC(".maps");

struct edges *edges_layout;

SEC("socket")
int at_the_edges(struct __sk_buff *skb)
{
	struct edges edges;
	__u8 byte;

	edges.last = bpf_skb_load_bytes(skb, skb->len - 1, &byte, 1);
	edges.behind = bpf_skb_load_bytes(skb, skb->len, &byte, 1);
	edges.before = bpf_skb_load_bytes(skb, -1, &byte, 1);
	bpf_ringbuf_output(&results, &edges, sizeof(edges), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
