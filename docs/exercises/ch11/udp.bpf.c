// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * udp: keeps datagrams to port 9000, on a UDP socket. Solution of exercise 1.
 */
#include "skb.h"

SEC("socket")
int to_9000(struct __sk_buff *skb)
{
	__u16 port = 0;

	/* The UDP header begins with the source port; the destination port lies at byte 2. */
	bpf_skb_load_bytes(skb, 2, &port, sizeof(port));
	return port == htons(9000) ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
