// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * call-depth: functions that call each other nine deep; eight is the limit.
 */
#include "../skb.h"

#define LEVEL(NAME, NEXT) \
	static __attribute__((noinline)) int NAME(__u32 x) \
	{ \
		barrier_var(x); \
		return NEXT(x + 1) + 1; \
	}

static __attribute__((noinline)) int last(__u32 x)
{
	barrier_var(x);
	return x;
}

LEVEL(f8, last)
LEVEL(f7, f8) /* here */
LEVEL(f6, f7)
LEVEL(f5, f6)
LEVEL(f4, f5)
LEVEL(f3, f4)
LEVEL(f2, f3)
LEVEL(f1, f2)

SEC("socket")
int call_depth(struct __sk_buff *skb)
{
	return f1(skb->len);
}

char _license[] SEC("license") = "Dual MIT/GPL";
