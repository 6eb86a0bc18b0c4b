/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the parts of dispatch share: the jump, and the counters. */
#pragma once
#include "net.h"

#define BPF_MAP_TYPE_PROG_ARRAY 3

/* Unlike the other members of a map's definition `values` is filled, as a variable is: each function in it is a hole for the loader. */
#define __array(FIELD, T) __typeof__(T) *FIELD[]

/*
 * Jumps to the program in a slot of PROGRAMS, and does not come back. If there is none, or 33 jumps have led here, the caller goes on.
 * Of what this program had in registers and on its stack the next one gets nothing but CTX.
 */
static long (*const bpf_tail_call)(void *ctx, void *programs, __u32 slot) = (void *)12;

struct {
	__u64 packets, ipv4, ipv6, extensions, fragments, tcp, syn, udp, icmp, echo;
	__u64 cut; /* the header is not all there */
} seen;

#define count(FIELD) __sync_fetch_and_add(&seen.FIELD, 1)

struct by_number {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u16);
	__type(value, __u64);
};
struct by_number ended SEC(".maps"); /* packets whose way ended without a program, by the protocol that was next */
struct by_number not_ip SEC(".maps"); /* packets of other kinds, by EtherType */

always_inline int count_in(void *map, __u16 number, struct __sk_buff *skb)
{
	__u64 none = 0, *times;

	bpf_map_update_elem(map, &number, &none, BPF_NOEXIST); /* what is there stays */
	times = bpf_map_lookup_elem(map, &number);
	if (times)
		__sync_fetch_and_add(times, 1);
	return skb->len;
}
