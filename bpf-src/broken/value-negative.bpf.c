// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * value-negative: an index with a sign, and a limit only above.
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
int value_negative(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct table *table = bpf_map_lookup_elem(&tables, &key);
	long i = (int)skb->hash;

	if (!table || i > 7)
		return skb->len;
	table->slots[i] = 1; /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
