// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * indirect-call: a function is called through a pointer.
 */
#include "../skb.h"

static __attribute__((noinline)) int one(int x)
{
	return x + 1;
}

static __attribute__((noinline)) int two(int x)
{
	return x + 2;
}

SEC("socket")
int indirect_call(struct __sk_buff *skb)
{
	int (*function)(int) = skb->mark ? one : two;

	return function(skb->len); /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
