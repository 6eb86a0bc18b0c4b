// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 4 of chapter 17: calls helper 9999, which no kernel has, but only on a kernel of the year 3000.
 */
#include "skb.h"

extern int LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));
static long (*const from_the_future)(void) = (void *)9999;

SEC("socket")
int version(struct __sk_buff *skb)
{
	if (LINUX_KERNEL_VERSION >= 99 << 16)
		return from_the_future();
	return skb->len;
}

char _license[] SEC("license") = "GPL";
