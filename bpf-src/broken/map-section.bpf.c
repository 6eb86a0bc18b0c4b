// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * map-section: a map without SEC(".maps") is a variable like any other.
 */
#include "../skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} hits;

SEC("socket")
int map_section(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&hits, &key); /* here */

	if (count)
		++*count;
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
