// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * map-arithmetic: a map is a handle, not memory: nothing can be added to its address.
 */
#include "../skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("socket")
int map_arithmetic(struct __sk_buff *skb)
{
	__u32 key = 0;
	char *map = (char *)&hits;

	map += skb->hash; /* here */
	return bpf_map_lookup_elem(map, &key) ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
