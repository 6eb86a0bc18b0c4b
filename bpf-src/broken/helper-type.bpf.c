// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * helper-type: a helper that exists, but not for socket filters: they look at packets and never change them.
 */
#include "more.h"

SEC("socket")
int helper_type(struct __sk_buff *skb)
{
	__u8 zero = 0;

	bpf_skb_store_bytes(skb, 0, &zero, sizeof(zero), 0); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
