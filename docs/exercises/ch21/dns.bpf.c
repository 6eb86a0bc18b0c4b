// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Drops datagrams to port 53 and counts them. The port is looked for after an IPv4 header of 20 bytes.
 */
#include "skb.h"

__u32 dropped;

SEC("socket")
int dns(struct __sk_buff *skb)
{
	__u16 port = 0;

	bpf_skb_load_bytes(skb, 20 + 2, &port, sizeof(port));
	if (port != htons(53))
		return skb->len;
	dropped++;
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
