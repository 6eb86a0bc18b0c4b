// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * helper-gpl: some helpers are only for programs whose licence is compatible with the GPL.
 */
#include "more.h"

SEC("socket")
int helper_gpl(struct __sk_buff *skb)
{
	static const char text[] = "len %d";

	bpf_trace_printk(text, sizeof(text), skb->len); /* here */
	return skb->len;
}

char _license[] SEC("license") = "Proprietary";
