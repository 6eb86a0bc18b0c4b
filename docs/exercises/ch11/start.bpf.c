// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * start: keeps UDP datagrams to port 9000 and drops all others. It counts from an Ethernet header: 14 bytes of Ethernet, 20 of IP.
 */
#include "skb.h"

SEC("socket")
int to_9000(struct __sk_buff *skb)
{
	__u8 protocol = 0;
	__u16 port = 0;

	bpf_skb_load_bytes(skb, 14 + 9, &protocol, sizeof(protocol));
	bpf_skb_load_bytes(skb, 14 + 20 + 2, &port, sizeof(port));
	if (protocol != 17 || port != htons(9000))
		return 0;
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
