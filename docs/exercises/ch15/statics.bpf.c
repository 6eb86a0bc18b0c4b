// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * statics: two static variables and one that is not, in one section.
 */
#include "skb.h"

static volatile __u64 packets;
static volatile __u64 bytes;
__u64 total;

SEC("socket")
int statics(struct __sk_buff *skb)
{
	packets++;
	bytes += skb->len;
	total = packets + bytes;
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
