// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ctx-data: skb->data and skb->data_end are for traffic control and others; a socket filter copies bytes out.
 */
#include "sk_buff.h"

SEC("socket")
int ctx_data(struct __sk_buff *skb)
{
	__u8 *byte = (void *)(long)skb->data;

	if ((void *)(byte + 1) > (void *)(long)skb->data_end) /* here */
		return 0;
	return *byte ? skb->len : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
