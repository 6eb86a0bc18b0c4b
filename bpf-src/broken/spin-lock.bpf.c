// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * spin-lock: socket filters cannot take locks.
 */
#include "../skb.h"

struct bpf_spin_lock {
	__u32 val;
};

struct guarded {
	struct bpf_spin_lock lock;
	__u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guarded);
} counts SEC(".maps");

static long (*const bpf_spin_lock)(struct bpf_spin_lock *lock) = (void *)93;
static long (*const bpf_spin_unlock)(struct bpf_spin_lock *lock) = (void *)94;

SEC("socket")
int spin_lock(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct guarded *value = bpf_map_lookup_elem(&counts, &key);

	if (!value)
		return skb->len;
	bpf_spin_lock(&value->lock); /* here */
	value->count++;
	bpf_spin_unlock(&value->lock);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
