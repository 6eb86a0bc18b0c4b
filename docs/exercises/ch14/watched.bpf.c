// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * watched: drops datagrams whose payload begins with '#', reports the length of the others, and counts both.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} lengths SEC(".maps");

struct length {
	__u32 bytes;
};

struct length *length_layout;

__u64 kept, dropped;

SEC("socket")
int watched(struct __sk_buff *skb)
{
	struct length length = { .bytes = skb->len };
	char first = 0;

	bpf_skb_load_bytes(skb, 8, &first, sizeof(first));
	if (first == '#') {
		__sync_fetch_and_add(&dropped, 1);
		return 0;
	}
	__sync_fetch_and_add(&kept, 1);
	bpf_ringbuf_output(&lengths, &length, sizeof(length), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
