// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2: this filter has a licence, and minibpf says that it has none.
 */
#include "broken/more.h"

SEC("socket")
int start(struct __sk_buff *skb)
{
	static const char text[] = "len %d";

	bpf_trace_printk(text, sizeof(text), skb->len);
	return skb->len;
}

char _license[] SEC("licence") = "Dual MIT/GPL";
