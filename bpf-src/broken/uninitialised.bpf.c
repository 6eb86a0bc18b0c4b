// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * uninitialised: a register is read that nothing has written on the way here.
 */
#include "../skb.h"

SEC("socket")
int uninitialised(struct __sk_buff *skb)
{
	int len;

	asm volatile("" : "=r"(len) : "r"(skb)); /* says that it writes len, and does not */
	return len + 1; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
