// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ld_abs: reports the TTL of the SYN-ACK with LD_ABS, without any helper to read. Solution of exercise 4.
 */
#include "skb.h"

unsigned long long load_byte(void *skb, unsigned long long offset) asm("llvm.bpf.load.byte");

#define SKF_NET_OFF (-0x100000) /* offsets from here on count from the network header: include/uapi/linux/filter.h */

struct distance {
	__u32 ttl;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} distances SEC(".maps");

struct distance *distance_layout;

SEC("socket")
int hops(struct __sk_buff *skb)
{
	struct distance distance = {};

	/* A TCP header always has a byte 13, and an IP header a byte 8, so nothing ends the program here. */
	if ((load_byte(skb, 13) & 0x12) != 0x12)
		return skb->len;
	distance.ttl = load_byte(skb, SKF_NET_OFF + 8);
	bpf_ringbuf_output(&distances, &distance, sizeof(distance), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
