// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2, solved: the instruction names the map, so the assembler writes a record for it.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} blocked SEC(".maps");

SEC("socket")
int start(struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;
	void *map;

	asm volatile("%0 = blocked ll" : "=r"(map));
	return bpf_map_lookup_elem(map, &key) ? 0 : skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
