// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * second-slot: a lddw written byte by byte, as a loader would leave it that patched too much.
 */
#include "skb.h"

SEC("socket")
int second_slot(struct __sk_buff *skb)
{
	/*         code  regs  off    imm              */
	asm volatile(".byte 0x18, 0x11, 0, 0, 0, 0, 0, 0\n"  /* r1 = the map with descriptor 0 */
		     ".byte 0x00, 0x00, 0, 0, 4, 0, 0, 0\n"  /* second slot */
		     ::: "r1");
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
