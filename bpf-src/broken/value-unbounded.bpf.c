// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * value-unbounded: an index from the packet that nobody has limited.
 */
#include "../skb.h"

struct table {
	__u64 slots[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct table);
} tables SEC(".maps");

SEC("socket")
int value_unbounded(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct table *table = bpf_map_lookup_elem(&tables, &key);

	if (!table)
		return skb->len;
	table->slots[skb->hash] = 1; /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
