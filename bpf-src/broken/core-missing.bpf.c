// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * core-missing: the program reads a field that the running kernel's struct does not have.
 */
#include "../skb.h"

struct task_struct {
	int not_in_any_kernel;
} __attribute__((preserve_access_index));

SEC("socket")
int core_missing(struct __sk_buff *skb)
{
	struct task_struct *task = 0;

	return (long)&task->not_in_any_kernel + skb->len; /* here */
}

char _license[] SEC("license") = "Dual MIT/GPL";
