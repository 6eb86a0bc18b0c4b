// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * both: keeps UDP datagrams to port 9000, wherever byte 0 is (IPv4). Solution of exercise 3.
 */
#include "skb.h"

static long (*const bpf_skb_load_bytes_relative)(const void *skb, __u32 offset, void *to, __u32 len,
						 __u32 start_header) = (void *)68;
#define BPF_HDR_START_NET 1

SEC("socket")
int to_9000(struct __sk_buff *skb)
{
	__u8 first = 0, protocol = 0;
	__u16 port = 0;

	/* The first byte holds the version, and in its lower half the length of the header in words of 4 bytes. */
	if (bpf_skb_load_bytes_relative(skb, 0, &first, sizeof(first), BPF_HDR_START_NET) < 0)
		return 0;
	bpf_skb_load_bytes_relative(skb, 9, &protocol, sizeof(protocol), BPF_HDR_START_NET);
	bpf_skb_load_bytes_relative(skb, (first & 15) * 4 + 2, &port, sizeof(port), BPF_HDR_START_NET);
	if (first >> 4 != 4 || protocol != 17 || port != htons(9000))
		return 0;
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
