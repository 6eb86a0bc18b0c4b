// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Chooses a socket of a group by the length of the payload: odd ones to socket 1, even ones to socket 0.
 */
#include "skb.h"

SEC("socket")
int length(struct __sk_buff *skb)
{
	return skb->len & 1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
