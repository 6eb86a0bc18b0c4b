// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * all_or_nothing: asks for 20 bytes of each packet, and reports what the helper returned and what the buffer holds then.
 */
#include "skb.h"

struct result {
	__u32 len;
	int error;
	__u8 bytes[20];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} results SEC(".maps");

struct result *result_layout;

SEC("socket")
int all_or_nothing(struct __sk_buff *skb)
{
	struct result result = { .len = skb->len };

	__builtin_memset(result.bytes, 0xee, sizeof(result.bytes));
	result.error = bpf_skb_load_bytes(skb, 0, result.bytes, sizeof(result.bytes));
	bpf_ringbuf_output(&results, &result, sizeof(result), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
