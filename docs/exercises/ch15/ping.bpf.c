// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ping: keeps datagrams whose payload begins with `wanted`, which --set can change. Solution of exercise 1.
 */
#include "skb.h"

static long (*const bpf_strncmp)(const char *text, __u32 size, const char *constant) = (void *)182;

const volatile char wanted[5] = "PING";

SEC("socket")
int ping(struct __sk_buff *skb)
{
	char text[4];

	if (bpf_skb_load_bytes(skb, 8, text, sizeof(text)) < 0)
		return 0;
	return bpf_strncmp(text, sizeof(text), (const char *)wanted) ? 0 : skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
