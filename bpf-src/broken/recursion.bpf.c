// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * recursion: a function calls itself.
 */
#include "../skb.h"

static __attribute__((noinline)) int sum(struct __sk_buff *skb, int n)
{
	if (n == 0)
		return 0;
	skb->cb[0] = n;
	return sum(skb, n - 1) + skb->cb[1]; /* here */
}

SEC("socket")
int recursion(struct __sk_buff *skb)
{
	return sum(skb, skb->len & 7);
}

char _license[] SEC("license") = "Dual MIT/GPL";
