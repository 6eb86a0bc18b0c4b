// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ctx-field: a field of struct __sk_buff that socket filters cannot read. The port stands in the packet, too.
 */
#include "sk_buff.h"

SEC("socket")
int ctx_field(struct __sk_buff *skb)
{
	return skb->local_port == 80 ? skb->len : 0; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
