// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * pointer-expected: a helper wants the address of the key, and gets the key.
 */
#include "../skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("socket")
int pointer_expected(struct __sk_buff *skb)
{
	__u64 key = skb->hash;

	return bpf_map_lookup_elem(&hits, (void *)key) ? skb->len : 0; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
