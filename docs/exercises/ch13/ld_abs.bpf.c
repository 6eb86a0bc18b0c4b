// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ld_abs: reads the byte at offset 20 with LD_ABS, the load of classic BPF, and keeps every packet. Does it?
 */
#include "skb.h"

/* r0 = byte at an offset of the packet; the context must be in r6. */
unsigned long long load_byte(void *skb, unsigned long long offset) asm("llvm.bpf.load.byte");

__u64 runs, ends; /* how often the program began, and how often it came to its last line */

SEC("socket")
int ld_abs(struct __sk_buff *skb)
{
	volatile __u64 byte;

	__sync_fetch_and_add(&runs, 1);
	byte = load_byte(skb, 20);
	__sync_fetch_and_add(&ends, 1);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
