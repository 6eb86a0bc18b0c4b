// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Four functions beside the program: two static ones, a global one, and one whose address is given to bpf_loop.
 */
#include "skb.h"

#define noinline __attribute__((noinline))

static long (*const bpf_loop)(__u32 rounds, void *each, void *ctx, __u64 flags) = (void *)181;

static noinline int header(struct __sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ? 20 : 40;
}

static noinline int half(int x)
{
	barrier_var(x);
	return x >> 1;
}

noinline int quarter(int x)
{
	barrier_var(x);
	return half(x) >> 1;
}

static long add(__u32 i, __u64 *sum)
{
	*sum += i;
	return 0;
}

SEC("socket")
int calls(struct __sk_buff *skb)
{
	__u64 sum = 0;

	bpf_loop(4, add, &sum, 0);
	return quarter(skb->len) + header(skb) + half(sum) + skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
