// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * probe: reports the first 24 bytes of each packet, and keeps everything.
 *
 * It knows nothing of headers, so it can be attached to every kind of socket: what it reports is what lies at byte 0 there.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} packets SEC(".maps");

SEC("socket")
int probe(struct __sk_buff *skb)
{
	__u8 bytes[24] = {};
	__u32 last = skb->len - 1;

	/* bpf_skb_load_bytes copies all or nothing: ask for no more than there is. */
	if (last > sizeof(bytes) - 1)
		last = sizeof(bytes) - 1;
	barrier_var(last);
	if (bpf_skb_load_bytes(skb, 0, bytes, last + 1) == 0)
		bpf_ringbuf_output(&packets, bytes, last + 1, 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
