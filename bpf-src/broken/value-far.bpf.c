// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * value-far: an index that may be any int is added to an address.
 */
#include "../skb.h"

char bytes[64];
int next;

SEC("socket")
int value_far(struct __sk_buff *skb)
{
	bytes[next++] = 1; /* here */
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
