// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * no-exit: a function runs on behind its last instruction: nothing in it returns.
 */
#include "../skb.h"

SEC("socket")
int no_exit(struct __sk_buff *skb)
{
	asm volatile("r0 = *(u32 *)(%0 + 0)" : : "r"(skb) : "r0"); /* here */
	__builtin_unreachable();
}

char _license[] SEC("license") = "Dual MIT/GPL";
