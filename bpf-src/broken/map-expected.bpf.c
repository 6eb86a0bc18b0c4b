// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * map-expected: a helper wants a map, and gets a number: so it looks when a loader left a hole unpatched.
 */
#include "../skb.h"

SEC("socket")
int map_expected(struct __sk_buff *skb)
{
	__u32 key = 0;

	return bpf_map_lookup_elem((void *)0, &key) ? skb->len : 0; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
