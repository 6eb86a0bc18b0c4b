// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * kfunc-type: a function of the kernel that other kinds of programs may call, and socket filters may not.
 */
#include "../skb.h"

struct task_struct {};
extern struct task_struct *bpf_task_from_pid(int pid) __attribute__((section(".ksyms")));

SEC("socket")
int kfunc_type(struct __sk_buff *skb)
{
	return bpf_task_from_pid(1) ? skb->len : 0; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
