// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * static: two maps that only this file can see, so clang's records name the section, not the map.
 */
#include "skb.h"

struct counter {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
};

static struct counter small SEC(".maps");
static struct counter large SEC(".maps");

SEC("socket")
int sizes(struct __sk_buff *skb)
{
	__u32 key = skb->protocol;
	__u64 one = 1;

	if (skb->len < 100)
		bpf_map_update_elem(&small, &key, &one, BPF_ANY);
	else
		bpf_map_update_elem(&large, &key, &one, BPF_ANY);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
