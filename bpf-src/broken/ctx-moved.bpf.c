// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ctx-moved: a helper wants the context itself, not a place in it.
 */
#include "../skb.h"

SEC("socket")
int ctx_moved(struct __sk_buff *skb)
{
	__u8 byte = 0;

	bpf_skb_load_bytes(&skb->mark, 0, &byte, sizeof(byte)); /* here */
	return byte ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
