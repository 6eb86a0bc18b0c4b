// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * packet-write: a slice of the packet that is asked for to be written; a socket filter only reads.
 */
#include "../skb.h"

struct bpf_dynptr {
	__u64 opaque[2];
} __attribute__((aligned(8)));

#define __ksym __attribute__((section(".ksyms")))
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, __u32 offset, void *buffer, __u32 size) __ksym;

SEC("socket")
int packet_write(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	__u8 buffer[8], *bytes;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	bytes = bpf_dynptr_slice_rdwr(&ptr, 0, buffer, sizeof(buffer)); /* here */
	return bytes && bytes[0] ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
