// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * argument: a filter with two arguments; it is called with one.
 */
#include "../skb.h"

SEC("socket")
int argument(struct __sk_buff *skb, int extra)
{
	return skb->len + extra; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
