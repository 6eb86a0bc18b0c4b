// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2: the same filter with the system's header, as many tutorials begin.
 */
#include <linux/bpf.h>

__attribute__((section("socket"), used)) int keep(struct __sk_buff *skb)
{
	return skb->len;
}

char _license[] __attribute__((section("license"), used)) = "Dual MIT/GPL";
