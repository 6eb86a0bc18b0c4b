// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * map-kind: a helper for ring buffers gets a hash map.
 */
#include "../skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("socket")
int map_kind(struct __sk_buff *skb)
{
	__u32 len = skb->len;

	bpf_ringbuf_output(&hits, &len, sizeof(len), 0); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
