// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Solution of exercise 3 of chapter 20: chooses by the peer's port, which the payload does not have. A SYN has no payload.
 */
#include "skb.h"

static long (*const load_relative)(const void *skb, __u32 offset, void *to, __u32 len, __u32 start) = (void *)68;

#define BPF_HDR_START_NET 1

SEC("socket")
int ports(struct __sk_buff *skb)
{
	__u16 port = 0;

	/* The source port: the first two bytes after an IPv4 header without options. */
	load_relative(skb, 20, &port, sizeof(port), BPF_HDR_START_NET);
	return ntohs(port) & 1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
