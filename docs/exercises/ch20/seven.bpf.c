// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 1 of chapter 20: chooses a socket that is not there.
 */
#include "skb.h"

SEC("socket")
int seven(struct __sk_buff *skb)
{
	return 7;
}

char _license[] SEC("license") = "Dual MIT/GPL";
