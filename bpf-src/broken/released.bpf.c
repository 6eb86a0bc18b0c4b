// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * released: a record of a ring buffer is written to after it was submitted.
 */
#include "more.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("socket")
int released(struct __sk_buff *skb)
{
	__u64 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return skb->len;
	bpf_ringbuf_submit(event, 0);
	*event = skb->len; /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
