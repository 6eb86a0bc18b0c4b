// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * bytes: a constant, a load, an addition and a return. 40 bytes to decode by hand.
 */
#include "skb.h"

SEC("socket")
int bytes(struct __sk_buff *skb)
{
	__u64 big = 0x1122334455667788;

	barrier_var(big); /* so that the compiler does not shorten the constant to 32 bits */
	return skb->mark + big;
}

char _license[] SEC("license") = "Dual MIT/GPL";
