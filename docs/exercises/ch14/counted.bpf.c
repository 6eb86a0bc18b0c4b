// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * counted: reports the length of each packet, and counts the reports that found no room. Solution of exercise 1.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} lengths SEC(".maps");

__u64 packets, lost;

SEC("socket")
int report(struct __sk_buff *skb)
{
	__u32 bytes = skb->len;

	__sync_fetch_and_add(&packets, 1);
	if (bpf_ringbuf_output(&lengths, &bytes, sizeof(bytes), 0) < 0)
		__sync_fetch_and_add(&lost, 1);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
