// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ringbuf-leak: a reserved record is neither submitted nor discarded on one of the ways out.
 */
#include "more.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("socket")
int ringbuf_leak(struct __sk_buff *skb)
{
	__u64 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return skb->len;
	if (skb->pkt_type)
		return 0;
	*event = skb->len;
	bpf_ringbuf_submit(event, 0);
	return skb->len;
} /* here */

char _license[] SEC("license") = "Dual MIT/GPL";
