// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * second-slot-solved: the lddw names a map, so that clang leaves a hole and a record.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("socket")
int second_slot(struct __sk_buff *skb)
{
	asm volatile("r1 = %[map] ll" ::[map] "i"(&hits) : "r1");
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
