/* CO-RE: offsets, sizes, signs, shifts, existence; types and enums; flavours, anonymous parts, arrays; what is not there. */
#include "skb.h"

#define core __attribute__((preserve_access_index))
#define field(F, KIND) __builtin_preserve_field_info(F, KIND)
#define type(T, KIND) __builtin_preserve_type_info(*(T *)0, KIND)
#define value(E, V, KIND) __builtin_preserve_enum_value(*(enum E *)V, KIND)

struct list_head { struct list_head *next, *prev; } core;
struct task_struct { unsigned int __state; int pid; char comm[16]; struct list_head tasks; } core;
struct task_struct___other { int tgid; } core;
struct sk_buff { unsigned int len; unsigned char pkt_type : 3, ignore_df : 1; unsigned char nothere; } core;
struct sock_common { union { struct { __u32 skc_daddr, skc_rcv_saddr; }; }; unsigned short skc_family; } core;
struct nowhere { int a; } core;
enum bpf_map_type___mine { BPF_MAP_TYPE_RINGBUF___mine = 99, NOTHERE___mine = 5 };
#define TASK ((struct task_struct *)0)
#define SKB ((struct sk_buff *)0)

SEC("socket") int offsets(struct __sk_buff *skb)
{
	return field(TASK->pid, 0) * 31 + field(TASK->comm[3], 0) * 7 + field(TASK->tasks.prev, 0) +
	       field(((struct sock_common *)0)->skc_rcv_saddr, 0) + field(((struct sock_common *)0)->skc_family, 0);
}

SEC("socket") int sizes(struct __sk_buff *skb) { return field(TASK->comm, 1) * 100 + field(TASK->pid, 3) * 10 + type(struct task_struct, 1); }

SEC("socket") int bits(struct __sk_buff *skb)
{
	return field(SKB->pkt_type, 0) * 1000 + field(SKB->pkt_type, 1) * 100 + field(SKB->pkt_type, 4) * 10 + field(SKB->pkt_type, 5);
}

SEC("socket") int exist(struct __sk_buff *skb)
{
	return field(((struct task_struct___other *)0)->tgid, 2) + field(SKB->nothere, 2) * 2 + type(struct task_struct, 0) * 4 +
	       type(struct nowhere, 0) * 8 + value(bpf_map_type___mine, BPF_MAP_TYPE_RINGBUF___mine, 0) * 16 +
	       value(bpf_map_type___mine, NOTHERE___mine, 0) * 32;
}

SEC("socket") int guarded(struct __sk_buff *skb) { return field(SKB->nothere, 2) ? field(SKB->nothere, 0) : 3; }
SEC("socket") int number(struct __sk_buff *skb) { return value(bpf_map_type___mine, BPF_MAP_TYPE_RINGBUF___mine, 1); }

char _license[] SEC("license") = "GPL";
