// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * legacy: the same map as it was defined before BTF: the bytes say everything.
 */
#include "skb.h"

struct bpf_map_def {
	unsigned int type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int max_entries;
	unsigned int map_flags;
};

struct bpf_map_def proto SEC("maps") = {
	.type = BPF_MAP_TYPE_HASH,
	.key_size = sizeof(__u16),
	.value_size = sizeof(__u64),
	.max_entries = 1000,
};

SEC("socket")
int legacy(struct __sk_buff *skb)
{
	__u16 key = skb->protocol;

	return bpf_map_lookup_elem(&proto, &key) ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
