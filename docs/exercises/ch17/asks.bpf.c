// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Asks the kernel for four things: two options of its configuration, a symbol that none has, and a function of its own.
 */
#include "skb.h"

#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))
#define __weak __attribute__((weak))

struct bpf_dynptr {
	__u64 words[2];
} __attribute__((aligned(8)));

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_NET __kconfig;
extern const void nobody_has_this __ksym __weak;
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym __weak;

SEC("socket")
int asks(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	if (!CONFIG_NET || LINUX_KERNEL_VERSION < 0x050800 || &nobody_has_this)
		return 0;
	return bpf_dynptr_from_skb ? bpf_dynptr_from_skb(skb, 0, &ptr) + skb->len : skb->len;
}

char _license[] SEC("license") = "GPL";
