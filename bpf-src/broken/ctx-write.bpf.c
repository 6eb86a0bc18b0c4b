// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ctx-write: a socket filter may read skb->mark, but not write it.
 */
#include "../skb.h"

SEC("socket")
int ctx_write(struct __sk_buff *skb)
{
	skb->mark = 1; /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
