// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The thirteen kinds of CO-RE records, one question each. The numbers at the end of each line are the kind's
 * place among those of its builtin: four about a field, five about a type, two about a value of an enum
 */
#include "skb.h"

#define core __attribute__((preserve_access_index))
#define field(F, N) __builtin_preserve_field_info(F, N)
#define type(T, N) __builtin_preserve_type_info(*(T *)0, N)
#define value(E, V, N) __builtin_preserve_enum_value(*(enum E *)V, N)

struct task_struct {
	int pid;
	char comm[16];
	int not_in_any_kernel;
} core;
struct sk_buff {
	unsigned char pkt_type : 3;
} core;
enum bpf_map_type___mine { BPF_MAP_TYPE_RINGBUF___mine = 99 };

#define TASK ((struct task_struct *)0)
#define SKB ((struct sk_buff *)0)

SEC("socket")
int kinds(struct __sk_buff *skb)
{
	__u64 sum = skb->len;

	sum += field(TASK->pid, 0);
	sum += field(TASK->comm, 1);
	sum += field(TASK->not_in_any_kernel, 2);
	sum += field(TASK->pid, 3);
	sum += field(SKB->pkt_type, 4);
	sum += field(SKB->pkt_type, 5);
	sum += __builtin_btf_type_id(*(struct task_struct *)0, 0);
	sum += __builtin_btf_type_id(*(struct task_struct *)0, 1);
	sum += type(struct task_struct, 0);
	sum += type(struct task_struct, 1);
	sum += value(bpf_map_type___mine, BPF_MAP_TYPE_RINGBUF___mine, 0);
	sum += value(bpf_map_type___mine, BPF_MAP_TYPE_RINGBUF___mine, 1);
	sum += type(struct sk_buff, 2);
	return sum;
}

char _license[] SEC("license") = "GPL";
