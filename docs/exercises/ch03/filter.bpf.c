// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * filter: a socket filter in a section that no loader takes for one.
 */
#include "skb.h"

SEC("filter")
int keep(struct __sk_buff *skb)
{
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
