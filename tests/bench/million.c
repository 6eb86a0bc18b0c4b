/* A hash, and a program that puts a thousand elements into it each time it runs. */
#include "skb.h"

struct traffic { __u64 packets, bytes; };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
	__type(key, __u32);
	__type(value, struct traffic);
} million SEC(".maps");

SEC("socket") int fill(struct __sk_buff *skb)
{
	static __u32 next;
	int i;

	for (i = 0; i < 1000; i++) {
		__u32 key = next++ * 2654435761u; /* odd: no key comes twice */
		struct traffic traffic = { key, skb->len };

		bpf_map_update_elem(&million, &key, &traffic, BPF_ANY);
	}
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
