// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * keep_short: reads the byte at offset 20 where there is one, and keeps every packet. Solution of exercise 3.
 */
#include "skb.h"

unsigned long long load_byte(void *skb, unsigned long long offset) asm("llvm.bpf.load.byte");

__u64 runs, ends;

SEC("socket")
int keep_short(struct __sk_buff *skb)
{
	volatile __u64 byte;

	__sync_fetch_and_add(&runs, 1);
	if (skb->len > 20)
		byte = load_byte(skb, 20);
	__sync_fetch_and_add(&ends, 1);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
