// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2 of chapter 17: keeps IPv4 only; looks at the first byte through a dynptr. The prototype is from memory.
 */
#include "skb.h"

#define __ksym __attribute__((section(".ksyms")))

struct bpf_dynptr {
	__u64 words[2];
} __attribute__((aligned(8)));

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size) __ksym;

SEC("socket")
int first(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	__u8 buffer[1], *byte;

	if (bpf_dynptr_from_skb(skb, &ptr))
		return 0;
	byte = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
	return byte && *byte >> 4 == 4 ? skb->len : 0;
}

char _license[] SEC("license") = "GPL";
