// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * size-unbounded: a size that nobody has limited.
 */
#include "../skb.h"

SEC("socket")
int size_unbounded(struct __sk_buff *skb)
{
	__u8 bytes[64] = {};
	__u32 len = skb->len;

	if (len == 0)
		return 0;
	bpf_skb_load_bytes(skb, 0, bytes, len); /* here */
	return bytes[0] ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
