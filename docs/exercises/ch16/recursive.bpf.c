// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 4 of chapter 16: the sum of the numbers up to n, as a function that calls itself.
 */
#include "skb.h"

static __attribute__((noinline)) int sum(struct __sk_buff *skb, int n)
{
	int rest;

	if (n <= 0)
		return 0;
	rest = sum(skb, n - 1);
	skb->cb[0] = rest; /* work after the call: without it clang makes a loop of the function */
	return n + rest;
}

SEC("socket")
int recursive(struct __sk_buff *skb)
{
	return sum(skb, skb->len & 15) ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
