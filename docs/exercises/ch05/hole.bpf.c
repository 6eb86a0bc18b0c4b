// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * hole: one map, and one instruction that names it.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} blocked SEC(".maps");

SEC("socket")
int hole(struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;

	return bpf_map_lookup_elem(&blocked, &key) ? 0 : skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
