// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Exercise 2, solved: the section is called `license`, as an American would write it.
 */
#include "broken/more.h"

SEC("socket")
int start(struct __sk_buff *skb)
{
	static const char text[] = "len %d";

	bpf_trace_printk(text, sizeof(text), skb->len);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
