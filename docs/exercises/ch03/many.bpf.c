// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * many: two filters in one section, one that is not loaded unless it is asked for, one under a name of its own, and one
 * that is no socket filter.
 */
#include "skb.h"

SEC("socket")
int all(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("socket")
int none(struct __sk_buff *skb)
{
	return 0;
}

SEC("?socket")
int spare(struct __sk_buff *skb)
{
	return 64;
}

SEC("socket/headers")
int headers(struct __sk_buff *skb)
{
	return 20;
}

SEC("xdp")
int other(void *ctx)
{
	return 2;
}

char _license[] SEC("license") = "Dual MIT/GPL";
