// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * pointer-bits: bit operations on an address.
 */
#include "../skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("socket")
int pointer_bits(struct __sk_buff *skb)
{
	__u32 key = 0;
	long count = (long)bpf_map_lookup_elem(&hits, &key);

	if (!count)
		return skb->len;
	count &= ~7l; /* here */
	barrier_var(count);
	return *(__u64 *)count;
}

char _license[] SEC("license") = "Dual MIT/GPL";
