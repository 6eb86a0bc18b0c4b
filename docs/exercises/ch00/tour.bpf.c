// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * tour: keeps every packet whole.
 */
#include "skb.h"

SEC("socket")
int tour(struct __sk_buff *skb)
{
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
