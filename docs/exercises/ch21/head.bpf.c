// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 3 of chapter 21: keeps the first 40 bytes of each packet.
 */
#include "skb.h"

SEC("socket")
int head(struct __sk_buff *skb)
{
	return 40;
}

char _license[] SEC("license") = "Dual MIT/GPL";
