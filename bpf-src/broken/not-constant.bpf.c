// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * not-constant: the size of a record must be known when the program is loaded.
 */
#include "more.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("socket")
int not_constant(struct __sk_buff *skb)
{
	void *event = bpf_ringbuf_reserve(&events, skb->len, 0); /* here */

	if (event)
		bpf_ringbuf_submit(event, 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
