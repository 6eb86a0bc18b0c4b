// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * global-null: a function that is not static is verified by itself: whoever calls it may pass NULL.
 */
#include "../skb.h"

__attribute__((noinline)) int first(const __u32 *number)
{
	return *number; /* here */
}

SEC("socket")
int global_null(struct __sk_buff *skb)
{
	__u32 number = skb->len;

	return first(&number);
}

char _license[] SEC("license") = "Dual MIT/GPL";
