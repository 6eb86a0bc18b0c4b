// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * too-many-branches: how often the loop goes round depends on the packet alone.
 */
#include "../skb.h"

SEC("socket")
int too_many_branches(struct __sk_buff *skb)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < skb->len; i++) { /* here */
		__u8 byte;

		if (bpf_skb_load_bytes(skb, i, &byte, 1) < 0)
			break;
		sum += byte;
	}
	return sum ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
