// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * start: is to keep datagrams whose payload begins with "PING", and to drop all others, also those that are too short.
 */
#include "skb.h"

SEC("socket")
int ping(struct __sk_buff *skb)
{
	char word[4];
	long error;

	error = bpf_skb_load_bytes(skb, 8, word, sizeof(word));
	if (error)
		return error;
	if (word[0] != 'P' || word[1] != 'I' || word[2] != 'N' || word[3] != 'G')
		return 0;
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
