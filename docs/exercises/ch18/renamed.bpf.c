// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Solution of exercise 3 of chapter 18: a member that has had two names, each in a flavour of the struct.
 */
#include "skb.h"

#define core __attribute__((preserve_access_index))

struct task_struct {
	unsigned int __state;
} core;
struct task_struct___old {
	long state;
} core;

#define NEW ((struct task_struct *)0)
#define OLD ((struct task_struct___old *)0)

__u32 offset;

SEC("socket")
int renamed(struct __sk_buff *skb)
{
	if (__builtin_preserve_field_info(NEW->__state, 2))
		offset = __builtin_preserve_field_info(NEW->__state, 0);
	else if (__builtin_preserve_field_info(OLD->state, 2))
		offset = __builtin_preserve_field_info(OLD->state, 0);
	return skb->len;
}

char _license[] SEC("license") = "GPL";
