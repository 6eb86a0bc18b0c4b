// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * start: is to copy the first bytes of each packet, 64 at most, into a ring buffer. The verifier refuses it.
 */
#include "skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} packets SEC(".maps");

SEC("socket")
int first_bytes(struct __sk_buff *skb)
{
	__u8 bytes[64] = {};
	__u32 len = skb->len;

	if (len > sizeof(bytes))
		len = sizeof(bytes);
	if (bpf_skb_load_bytes(skb, 0, bytes, len) == 0)
		bpf_ringbuf_output(&packets, bytes, sizeof(bytes), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
