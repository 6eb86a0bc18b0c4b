// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * steer: receive-side scaling. All packets of a flow go to one queue, the flows spread over all. For the queues of a tap device (tun-steer)
 * and the sockets of a reuseport group: offsets count from the network header, so it does not matter where byte 0 is.
 *
 * The hash is Toeplitz's, which network cards have, over the addresses and, of TCP and UDP, the ports. Its last bits choose a slot of a table,
 * and the slot says the queue: whoever changes a slot moves the flows in it, and no others.
 */
#include "net.h"

#define SLOTS 16 /* a power of two; network cards have 128 */
#define LONGEST 36 /* bytes that are hashed: two IPv6 addresses and two ports */

/* A number that no queue has: tun takes it modulo their number; a reuseport group chooses by a hash of its own. */
__u32 table[SLOTS] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
bool with_ports = 1; /* without: all flows between two machines go together */

/* The key of Microsoft's verification suite. No constant: if the verifier knew it, it would follow each possible hash by itself. */
__u8 key[LONGEST + 4] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

__u64 slots[SLOTS]; /* packets by slot */
__u64 unhashed; /* not IP, or without a whole IP header: queue 0 */

#define read(OFFSET, TO, LENGTH) bpf_skb_load_bytes_relative(skb, OFFSET, TO, LENGTH, BPF_HDR_START_NET)

/* Puts addresses and ports into FLOW, as they stand in the packet, and says how many bytes that makes; 0: there are none. */
always_inline __u32 read_flow(struct __sk_buff *skb, __u8 *flow)
{
	__u32 length, ports;
	__u8 ip[20], protocol, fragment = 0;

	if (skb->protocol == htons(ETH_P_IP) && read(0, ip, 20) == 0) {
		__builtin_memcpy(flow, ip + 12, length = 8);
		ports = (ip[0] & 15) * 4;
		protocol = ip[9];
		fragment = (ip[6] & 0x3f) | ip[7];
	} else if (skb->protocol == htons(ETH_P_IPV6) && read(8, flow, 32) == 0) {
		length = 32;
		ports = 40;
		read(6, &protocol, 1);
	} else {
		return 0;
	}
	/* Only the first fragment has ports. All must go the same way, so it is not asked for them either. */
	if (!with_ports || fragment || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
		return length;
	return read(ports, flow + length, 4) < 0 ? length : length + 4;
}

/* For each bit of FLOW that is set, the 32 bits of the key from the same place on are added, without carry. */
always_inline __u32 toeplitz(const __u8 *flow, __u32 length)
{
	__u64 window = (__u32)key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3];
	__u32 hash = 0;

	for (__u32 i = 0; i < LONGEST && i < length; i++) {
		window = window << 8 | key[i + 4];
		for (int bit = 7; bit >= 0; bit--)
			if (flow[i] >> bit & 1)
				hash ^= window >> (bit + 1);
	}
	return hash;
}

SEC("socket")
int steer(struct __sk_buff *skb)
{
	__u8 flow[LONGEST] = {};
	__u32 length = read_flow(skb, flow), slot;

	if (!length) {
		__sync_fetch_and_add(&unhashed, 1);
		return 0;
	}
	slot = toeplitz(flow, length) % SLOTS;
	__sync_fetch_and_add(&slots[slot], 1);
	return table[slot];
}

/* The hash itself, to be compared with a network card's: minibpf run steer.bpf.o --program hash ... */
SEC("?socket")
int hash(struct __sk_buff *skb)
{
	__u8 flow[LONGEST] = {};

	return toeplitz(flow, read_flow(skb, flow));
}

char _license[] SEC("license") = "Dual MIT/GPL";
