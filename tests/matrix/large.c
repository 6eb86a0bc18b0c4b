/* Data far into a section (beyond 64 KiB), several sections of constants, an initialised pointer's neighbour, a table. */
#include "skb.h"

struct wide { __u64 a, b; };

volatile __u8 far_away[70000] = { [69999] = 5 };
volatile __u32 beyond = 6;
const volatile struct wide pair = { 7, 8 };
const volatile __u16 odd SEC(".rodata.odd") = 9;
volatile __u64 named SEC(".data.named") = 10;
static const volatile char text[] = "eleven";

SEC("socket") int far(struct __sk_buff *skb) { return far_away[69999] + beyond; }
SEC("socket") int constants(struct __sk_buff *skb) { return pair.a * 1000 + pair.b * 100 + odd * 10 + text[skb->len & 3]; }
SEC("socket") int custom(struct __sk_buff *skb) { return ++named; }

char _license[] SEC("license") = "GPL";
