// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * helper-unknown: a helper that this kernel does not have: the number is from a newer one, or wrong.
 */
#include "more.h"

static long (*const bpf_from_the_future)(void) = (void *)9999;

SEC("socket")
int helper_unknown(struct __sk_buff *skb)
{
	return bpf_from_the_future() ? skb->len : 0; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
