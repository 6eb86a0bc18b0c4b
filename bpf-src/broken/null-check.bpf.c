// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * null-check: a lookup in a hash map can miss, and then it returns NULL. The program uses the answer unseen.
 */
#include "../skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("socket")
int null_check(struct __sk_buff *skb)
{
	__u32 key = skb->protocol;
	__u64 *count = bpf_map_lookup_elem(&hits, &key);

	*count += 1; /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
