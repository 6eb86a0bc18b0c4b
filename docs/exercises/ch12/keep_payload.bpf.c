// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * keep_payload: keeps the TCP header, and `payload` bytes of what follows it.
 */
#include "skb.h"

volatile const __u32 payload = 2;

SEC("socket")
int keep_payload(struct __sk_buff *skb)
{
	__u8 doff;

	/* The upper half of byte 12 is the length of the TCP header, in words of 4 bytes. */
	if (bpf_skb_load_bytes(skb, 12, &doff, sizeof(doff)) < 0)
		return skb->len;
	return (doff >> 4) * 4 + payload;
}

char _license[] SEC("license") = "Dual MIT/GPL";
