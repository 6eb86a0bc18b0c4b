// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * far: of packets that are longer than 40000 bytes, reports how many of them lie in the linear part, and byte 40000.
 */
#include "skb.h"

static long (*const bpf_skb_load_bytes_relative)(const void *skb, __u32 offset, void *to, __u32 len,
						 __u32 start_header) = (void *)68;
#define BPF_HDR_START_NET 1

struct result {
	__u32 len;
	int error; /* of bpf_skb_load_bytes at 40000 */
	int relative_error; /* of bpf_skb_load_bytes_relative at 40000 */
	char byte;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} results SEC(".maps");

struct result *result_layout;

SEC("socket")
int far(struct __sk_buff *skb)
{
	struct result result = { .len = skb->len };
	char byte = 0;

	if (skb->len <= 40000)
		return skb->len;
	result.relative_error = bpf_skb_load_bytes_relative(skb, 40000, &byte, 1, BPF_HDR_START_NET);
	result.error = bpf_skb_load_bytes(skb, 40000, &byte, 1);
	result.byte = byte;
	bpf_ringbuf_output(&results, &result, sizeof(result), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
