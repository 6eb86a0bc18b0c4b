// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ctx-atomic: a field of the context cannot be changed atomically.
 */
#include "../skb.h"

SEC("socket")
int ctx_atomic(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&skb->cb[0], 1); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
