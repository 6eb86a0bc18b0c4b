/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * From the network header to what it carries, for programs on packet sockets and tap devices. On a TCP or UDP socket the kernel has done
 * this already: byte 0 is the transport header.
 */
#pragma once
#include "../skb.h"

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

/* Reads as bpf_skb_load_bytes does, but counts from the IP header, wherever byte 0 is. Only what is linear: headers, not all of a payload. */
static long (*const bpf_skb_load_bytes_relative)(const void *skb, __u32 offset, void *to, __u32 len, __u32 from) = (void *)68;
#define BPF_HDR_START_NET 1

#define always_inline static inline __attribute__((always_inline))

/*
 * Where the transport header begins, counted as NETWORK is, which is where the IP header begins: 0 on a cooked packet socket and in a test
 * run, 14 behind an Ethernet header. Negative if the packet does not carry the protocol WANTED, or not its header.
 */
always_inline int transport(const struct __sk_buff *skb, __u32 network, __u8 wanted)
{
	__u8 ip[10];

	if (bpf_skb_load_bytes(skb, network, ip, sizeof(ip)) < 0)
		return -1;
	if (skb->protocol == htons(ETH_P_IP) && ip[0] >> 4 == 4) {
		/* Only the first fragment has a transport header: the offset is the 13 bits after the flags. */
		if (ip[9] != wanted || ip[6] & 0x1f || ip[7])
			return -1;
		/* Options make the header longer than 20 bytes; shorter is a lie. */
		return (ip[0] & 15) < 5 ? -1 : (int)network + (ip[0] & 15) * 4;
	}
	/* An IPv6 header is always 40 bytes long. What has extension headers behind it is left alone. */
	if (skb->protocol == htons(ETH_P_IPV6) && ip[0] >> 4 == 6 && ip[6] == wanted)
		return network + 40;
	return -1;
}

/* The same for the payload of a TCP segment whose header begins at TCP: its length stands in the upper half of byte 12, in words of 4 bytes. */
always_inline int tcp_payload(const struct __sk_buff *skb, int tcp)
{
	__u8 words;

	if (tcp < 0 || bpf_skb_load_bytes(skb, tcp + 12, &words, sizeof(words)) < 0 || words >> 4 < 5)
		return -1;
	return tcp + (words >> 4) * 4;
}
