// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * map-fd: a map's descriptor is written into the instruction by hand: so it looks when a loader put the wrong number into a hole.
 */
#include "../skb.h"

SEC("socket")
int map_fd(struct __sk_buff *skb)
{
	void *map;
	__u32 key = 0;

	/* r6 = the map whose descriptor is 1000000. */
	asm volatile(".byte 0x18, 0x16, 0, 0\n.long 1000000\n.quad 0\n%0 = r6" : "=r"(map) : : "r6"); /* here */
	return bpf_map_lookup_elem(map, &key) ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
