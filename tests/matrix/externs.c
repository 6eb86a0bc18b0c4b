/* What the kernel provides: its configuration, its symbols, its variables and its functions; and what this kernel
 * has not. A weak function that it has not is not here: libbpf 1.1, the referee, left it unpatched. */
#include "skb.h"

#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))
#define __weak __attribute__((weak))

enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };
struct bpf_dynptr { __u64 words[2]; } __attribute__((aligned(8)));
struct rq;

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_NET __kconfig;
extern enum libbpf_tristate CONFIG_BPF_JIT __kconfig;
extern char CONFIG_BPF_SYSCALL __kconfig;
extern unsigned short CONFIG_LOG_BUF_SHIFT __kconfig;
extern __u64 CONFIG_PHYSICAL_START __kconfig;
extern char CONFIG_DEFAULT_TCP_CONG[5] __kconfig;
extern int CONFIG_HZ __kconfig __weak;
extern int CONFIG_NOBODY_HAS_THIS __kconfig __weak;
extern enum libbpf_tristate CONFIG_NOR_THIS __kconfig __weak;

extern const void bpf_prog_free __ksym __weak;
extern const void nobody_has_this_symbol __ksym __weak;
extern const int nobody_has_this_variable __ksym __weak;
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size) __ksym;

SEC("socket") int config(struct __sk_buff *skb)
{
	return LINUX_KERNEL_VERSION >= 0x050800 && CONFIG_NET && CONFIG_BPF_JIT == TRI_YES && CONFIG_BPF_SYSCALL == 'y';
}

SEC("socket") int config_numbers(struct __sk_buff *skb) { return CONFIG_LOG_BUF_SHIFT + CONFIG_PHYSICAL_START; }
SEC("socket") int config_text(struct __sk_buff *skb) { return CONFIG_DEFAULT_TCP_CONG[skb->len & 3]; }
SEC("socket") int config_weak(struct __sk_buff *skb) { return CONFIG_HZ + CONFIG_NOBODY_HAS_THIS + CONFIG_NOR_THIS; }

SEC("socket") int symbol(struct __sk_buff *skb) { return (&bpf_prog_free != 0) + (&nobody_has_this_symbol != 0) * 2; }
SEC("socket") int variable(struct __sk_buff *skb) { return &nobody_has_this_variable ? nobody_has_this_variable : 7; }

SEC("socket") int kfunc(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	__u8 buffer[4], *byte;

	if (bpf_dynptr_from_skb(skb, 0, &ptr))
		return 0;
	byte = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
	return byte ? *byte : 1;
}

char _license[] SEC("license") = "GPL";
