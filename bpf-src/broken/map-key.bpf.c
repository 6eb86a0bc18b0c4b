// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * map-key: the map's keys have eight bytes, the key that is passed has four.
 */
#include "../skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} hits SEC(".maps");

SEC("socket")
int map_key(struct __sk_buff *skb)
{
	__u32 key = skb->protocol;
	__u64 *count = bpf_map_lookup_elem(&hits, &key); /* here */

	if (count)
		++*count;
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
