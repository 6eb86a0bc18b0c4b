// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * keep: returns the number `keep`, whatever the packet is. Choose it with --set keep=N.
 */
#include "skb.h"

volatile const int keep = -1;

SEC("socket")
int keep_some(struct __sk_buff *skb)
{
	return keep;
}

char _license[] SEC("license") = "Dual MIT/GPL";
