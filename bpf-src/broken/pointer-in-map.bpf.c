// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * pointer-in-map: a pointer is kept in a map, and followed when it is read back.
 */
#include "../skb.h"

struct node {
	struct node *next;
	__u64 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct node);
} nodes SEC(".maps");

SEC("socket")
int pointer_in_map(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct node *node = bpf_map_lookup_elem(&nodes, &key);

	if (!node || !node->next)
		return skb->len;
	node->next->packets++; /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
