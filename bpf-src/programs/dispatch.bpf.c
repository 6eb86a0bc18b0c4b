// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * dispatch: one program for each protocol, found through a table. For packet sockets; offsets count from the network header.
 *
 * The table is a program array whose slots are IP's protocol numbers. `dispatch` jumps to IPv4 or IPv6, which jump to what they carry; where
 * the packet was left off, one tells the next through skb->cb. A protocol without a program is noticed: the jump does not happen.
 */
#include "dispatch.h"

#define AT cb[0] /* where the header begins that the program is for */
#define IPV4 4 /* as a protocol number: IPv4 in IP */
#define IPV6 41

int ipv4(struct __sk_buff *skb), ipv6(struct __sk_buff *skb), extension(struct __sk_buff *skb);
int tcp(struct __sk_buff *skb), udp(struct __sk_buff *skb), icmp(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__array(values, int(struct __sk_buff *));
} protocols SEC(".maps") = {
	.values = { [IPV4] = &ipv4, [IPV6] = &ipv6, [0] = &extension, [43] = &extension, [60] = &extension,
		    [IPPROTO_TCP] = &tcp, [IPPROTO_UDP] = &udp, [1] = &icmp, [58] = &icmp },
};

#define read(OFFSET, TO) bpf_skb_load_bytes_relative(skb, skb->AT + (OFFSET), TO, sizeof(*(TO)), BPF_HDR_START_NET)

/* Goes on at the program of PROTOCOL. What follows the jump runs only if there was none. */
always_inline int go(struct __sk_buff *skb, __u16 protocol, __u32 at)
{
	skb->AT = at;
	bpf_tail_call(skb, &protocols, protocol);
	return count_in(&ended, protocol, skb);
}

SEC("socket")
int dispatch(struct __sk_buff *skb)
{
	__u16 type = ntohs(skb->protocol);

	count(packets);
	if (type == ETH_P_IP)
		return go(skb, IPV4, 0);
	if (type == ETH_P_IPV6)
		return go(skb, IPV6, 0);
	return count_in(&not_ip, type, skb); /* not by the table: it may be a number there, too */
}

/* The parts are loaded because the array names them; `?` says that nobody attaches one by itself. */
#define PART(NAME) SEC("?socket") int NAME(struct __sk_buff *skb)
#define leave(COUNTER) do { count(COUNTER); return skb->len; } while (0)
#define need(OFFSET, TO) do { if (read(OFFSET, TO) < 0) leave(cut); } while (0)

PART(ipv4)
{
	struct { __u8 words, tos; __u16 length, id, fragment; __u8 ttl, protocol; } ip;

	need(0, &ip);
	count(ipv4);
	if ((ip.words & 15) < 5) /* shorter than itself */
		leave(cut);
	if (ip.fragment & htons(0x1fff)) /* not the first of its datagram: no header follows */
		leave(fragments);
	return go(skb, ip.protocol, skb->AT + (ip.words & 15) * 4);
}

PART(ipv6)
{
	__u8 next;

	need(6, &next);
	count(ipv6);
	return go(skb, next, skb->AT + 40);
}

/* An IPv6 extension header says what follows, and its own length in words of 8 bytes, less one. It can be followed by another. */
PART(extension)
{
	struct { __u8 next, words; } header;

	need(0, &header);
	count(extensions);
	return go(skb, header.next, skb->AT + (header.words + 1) * 8);
}

PART(tcp)
{
	__u8 flags;

	need(13, &flags);
	count(tcp);
	if ((flags & 0x12) == 0x02) /* SYN without ACK: somebody opens a connection */
		count(syn);
	return skb->len;
}

PART(udp)
{
	__u64 header;

	need(0, &header);
	leave(udp);
}

PART(icmp)
{
	__u8 type;

	need(0, &type);
	count(icmp);
	if (type == 8 || type == 128) /* echo request, of ICMP and of ICMPv6 */
		count(echo);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
