// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * start: reports the length of each packet. Many reports are lost, and nobody knows how many.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} lengths SEC(".maps");

__u64 packets;

SEC("socket")
int report(struct __sk_buff *skb)
{
	__u32 bytes = skb->len;

	__sync_fetch_and_add(&packets, 1);
	bpf_ringbuf_output(&lengths, &bytes, sizeof(bytes), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
