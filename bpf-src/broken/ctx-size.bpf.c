// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ctx-size: the fields of struct __sk_buff are read one at a time, not two in one access of eight bytes.
 */
#include "../skb.h"

SEC("socket")
int ctx_size(struct __sk_buff *skb)
{
	__u64 *both = (void *)skb;

	barrier_var(both);
	return *both >> 32 ? 0 : (__u32)*both; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
