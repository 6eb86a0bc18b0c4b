// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * value-end: an access behind the end of a map's value.
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
int value_end(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct table *table = bpf_map_lookup_elem(&tables, &key);
	__u64 *slot = (__u64 *)table;

	if (!table)
		return skb->len;
	slot[8] = skb->len; /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
