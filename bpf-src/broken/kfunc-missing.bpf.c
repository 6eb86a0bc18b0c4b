// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * kfunc-missing: a weak function that this kernel does not have is called without asking whether it is there.
 */
#include "../skb.h"

extern int not_in_any_kernel(void) __attribute__((section(".ksyms"), weak));

SEC("socket")
int kfunc_missing(struct __sk_buff *skb)
{
	return not_in_any_kernel() ? skb->len : 0; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
