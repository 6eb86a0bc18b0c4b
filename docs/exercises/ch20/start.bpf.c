// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2 of chapter 20: datagrams that begin with a capital letter go to socket 1, others to socket 0.
 */
#include "skb.h"

SEC("socket")
int capitals(struct __sk_buff *skb)
{
	__u8 first = 0;

	bpf_skb_load_bytes(skb, 8, &first, 1);
	return first >= 'A' && first <= 'Z' ? 1 : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
