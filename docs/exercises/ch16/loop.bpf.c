// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Solution of exercise 4 of chapter 16: the same sum as a loop that the verifier can walk to its end.
 */
#include "skb.h"

static __attribute__((noinline)) int sum(struct __sk_buff *skb, int n)
{
	int total = 0;

	for (int i = 1; i <= (n & 15); i++) {
		total += i;
		barrier_var(total); /* without it clang computes the sum by a formula, and no loop is left */
	}
	return total;
}

SEC("socket")
int recursive(struct __sk_buff *skb)
{
	return sum(skb, skb->len & 15) ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
