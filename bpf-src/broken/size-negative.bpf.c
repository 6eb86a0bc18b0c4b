// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * size-negative: a size that was counted with a sign, and has a limit only above.
 */
#include "../skb.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("socket")
int size_negative(struct __sk_buff *skb)
{
	__u8 bytes[64] = {};
	long len = (long)skb->len - 20;

	if (len > (long)sizeof(bytes))
		return 0;
	bpf_ringbuf_output(&events, bytes, len, 0); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
