// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * start: keeps datagrams whose payload begins with "PING". The verifier refuses it: the string is a variable.
 */
#include "skb.h"

static long (*const bpf_strncmp)(const char *text, __u32 size, const char *constant) = (void *)182;

char wanted[5] = "PING";

SEC("socket")
int ping(struct __sk_buff *skb)
{
	char text[4];

	if (bpf_skb_load_bytes(skb, 8, text, sizeof(text)) < 0)
		return 0;
	return bpf_strncmp(text, sizeof(text), wanted) ? 0 : skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
