// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The types of a kernel that does not exist: a target for CO-RE whose numbers are the same everywhere.
 */
struct task_struct {
	long a[9];
	struct {
		unsigned long pid;
		char comm[32];
	};
} *task;
struct sk_buff {
	unsigned char x;
	unsigned char y : 2, pkt_type : 3;
} *skb;
enum bpf_map_type { A, B, C, BPF_MAP_TYPE_RINGBUF } map_type;
