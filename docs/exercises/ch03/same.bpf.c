// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * same: two static functions at the same offset of two sections.
 */
#include "skb.h"

static __attribute__((noinline)) int first(int x)
{
	barrier_var(x);
	return x;
}

static __attribute__((noinline, section("apart"))) int second(int x)
{
	barrier_var(x);
	return x + 1;
}

SEC("socket")
int same(struct __sk_buff *skb)
{
	return first(skb->len) + second(skb->mark);
}

char _license[] SEC("license") = "Dual MIT/GPL";
