// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * keep: keeps every packet whole. Two instructions.
 */
#include "skb.h"

SEC("socket")
int keep(struct __sk_buff *skb)
{
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
