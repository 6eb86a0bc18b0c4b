/* Maps: the types that a filter uses most, maps of maps, a program array, a perf event array without a size. */
#include "skb.h"

#define __array(FIELD, T) typeof(T) *FIELD[]
#define TYPE(N) __uint(type, N)

static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static long (*const bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;
static long (*const bpf_perf_event_output)(void *ctx, void *map, __u64 flags, void *data, __u64 size) = (void *)25;

struct pair { __u32 a, b; };
struct { TYPE(BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, struct pair); __type(value, __u64); } hash SEC(".maps");
struct { TYPE(9); __uint(max_entries, 8); __type(key, __u32); __type(value, struct pair); } lru SEC(".maps");
struct { TYPE(6); __uint(max_entries, 2); __type(key, __u32); __type(value, struct pair); } percpu SEC(".maps");
struct { TYPE(1); __uint(max_entries, 8); __uint(key_size, 4); __uint(value_size, 8); __uint(map_flags, 1); } sizes SEC(".maps");
struct { TYPE(4); __uint(key_size, 4); __uint(value_size, 4); } events SEC(".maps");
struct counter { TYPE(BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); };
struct counter first SEC(".maps"), second SEC(".maps");
struct { TYPE(12); __uint(max_entries, 4); __type(key, __u32); __array(values, struct counter); }
counters SEC(".maps") = { .values = { [1] = &first, [3] = &second } };

int last(struct __sk_buff *skb);
struct { TYPE(3); __uint(max_entries, 2); __uint(key_size, 4); __array(values, int(struct __sk_buff *)); }
programs SEC(".maps") = { .values = { [1] = &last } };

SEC("socket") int last(struct __sk_buff *skb) { return skb->len; }

SEC("socket") int all(struct __sk_buff *skb)
{
	struct pair key = { 1, 2 };
	__u32 one = 1;
	__u64 value = skb->len;
	void *inner;

	bpf_map_update_elem(&hash, &key, &value, 0);
	bpf_map_update_elem(&lru, &one, &key, 0);
	bpf_map_update_elem(&percpu, &one, &key, 0);
	bpf_map_delete_elem(&sizes, &one);
	bpf_perf_event_output(skb, &events, 0xffffffffULL, &key, sizeof(key));
	inner = bpf_map_lookup_elem(&counters, &one);
	if (inner)
		bpf_map_update_elem(inner, &one, &value, 0);
	bpf_tail_call(skb, &programs, 1);
	return 0;
}

char _license[] SEC("license") = "GPL";
