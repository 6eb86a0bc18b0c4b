// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ringbuf-null: a ring buffer can be full, and then reserving returns NULL. The program writes all the same.
 */
#include "more.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("socket")
int ringbuf_null(struct __sk_buff *skb)
{
	__u64 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	*event = skb->len; /* here */
	bpf_ringbuf_submit(event, 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
