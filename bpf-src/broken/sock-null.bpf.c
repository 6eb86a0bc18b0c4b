// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * sock-null: not every packet belongs to a socket: skb->sk can be NULL.
 */
#include "sk_buff.h"

SEC("socket")
int sock_null(struct __sk_buff *skb)
{
	return skb->sk->family == 2 ? skb->len : 0; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
