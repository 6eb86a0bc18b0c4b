// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * number-as-pointer: a plain number is used as an address.
 */
#include "../skb.h"

SEC("socket")
int number_as_pointer(struct __sk_buff *skb)
{
	__u32 *packet = (void *)(long)skb->hash;

	return *packet; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
