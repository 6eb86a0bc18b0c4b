/* Variables: static and global, constant, in sections of their own names, arrays with an index, strings. */
#include "skb.h"

static long (*const bpf_trace_printk)(const char *format, __u32 size, ...) = (void *)6;

const volatile __u32 limit = 1500;
static volatile const __u64 table[4] = { 10, 20, 30, 40 };
static volatile __u32 hidden = 7;
volatile __u32 seen[8];
volatile __u64 counter SEC(".data.counters") = 3;

SEC("socket") int variables(struct __sk_buff *skb)
{
	static volatile __u32 local;

	local++;
	hidden += skb->len;
	seen[5]++;
	counter++;
	return skb->len > limit ? 0 : table[3] + hidden + local;
}

SEC("socket") int strings(struct __sk_buff *skb)
{
	static const char format[] = "packet of %d bytes";

	bpf_trace_printk(format, sizeof(format), skb->len);
	return skb->len;
}

char _license[] SEC("license") = "GPL";
