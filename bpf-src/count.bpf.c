// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * count: packets and bytes per source port, and totals.
 *
 * Lesson: state outside the program. A filter forgets everything between two packets; what it wants to keep lies in
 * maps. `ports` is a map by definition, and the three globals become maps too: `.bss` (zero at first) and `.data`. Every
 * use of them is a hole in the instructions that the loader patches with a map's descriptor.
 */
#include "skb.h"

struct traffic {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, struct traffic);
} ports SEC(".maps");

__u64 total_packets;
__u64 total_bytes;
__u32 smallest_packet = 0xffffffff;

SEC("socket")
int count(struct __sk_buff *skb)
{
	struct traffic first = { .packets = 1, .bytes = skb->len };
	struct traffic *seen;
	__u16 port = 0;

	__sync_fetch_and_add(&total_packets, 1);
	__sync_fetch_and_add(&total_bytes, skb->len);
	if (skb->len < smallest_packet)
		smallest_packet = skb->len;

	/* On a TCP or UDP socket byte 0 is the transport header, and that begins with the source port. */
	if (bpf_skb_load_bytes(skb, 0, &port, sizeof(port)) < 0)
		return skb->len;
	port = ntohs(port);

	seen = bpf_map_lookup_elem(&ports, &port);
	if (seen) {
		__sync_fetch_and_add(&seen->packets, 1);
		__sync_fetch_and_add(&seen->bytes, skb->len);
	} else {
		bpf_map_update_elem(&ports, &port, &first, BPF_ANY);
	}
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
