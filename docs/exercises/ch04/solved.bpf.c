// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2, solved: the numbers are in the types, the variable is never filled in.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000);
	__type(key, __u16);
	__type(value, __u64);
} proto SEC(".maps");

SEC("socket")
int start(struct __sk_buff *skb)
{
	__u16 key = skb->protocol;

	return bpf_map_lookup_elem(&proto, &key) ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
