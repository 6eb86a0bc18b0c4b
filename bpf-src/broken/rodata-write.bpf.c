// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * rodata-write: a constant is written: the loader froze the map in which it lies.
 */
#include "../skb.h"

const volatile __u32 limit = 100;

SEC("socket")
int rodata_write(struct __sk_buff *skb)
{
	*(volatile __u32 *)&limit = skb->len; /* here */
	return limit;
}

char _license[] SEC("license") = "Dual MIT/GPL";
