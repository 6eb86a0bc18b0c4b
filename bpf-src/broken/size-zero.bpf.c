// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * size-zero: a size that may be 0, for a helper that copies at least one byte.
 */
#include "../skb.h"

SEC("socket")
int size_zero(struct __sk_buff *skb)
{
	__u8 bytes[64] = {};
	__u32 len = skb->len;

	if (len > sizeof(bytes))
		len = sizeof(bytes);
	bpf_skb_load_bytes(skb, 0, bytes, len); /* here */
	return bytes[0] ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
