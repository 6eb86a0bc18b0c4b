/* A map of every type that a socket filter can use, and a program that puts something into each that it may write. */
#include "skb.h"

#define __array(FIELD, T) typeof(T) *FIELD[]
#define TYPE(N) __uint(type, N)

static long (*const bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;
static long (*const bpf_map_push_elem)(void *map, const void *value, __u64 flags) = (void *)87;

enum color { RED = 1, GREEN = 2, DEEP = 300 };
struct point { int x, y; };
/* One member of every kind that BTF knows. */
struct everything {
	enum color color;
	union { __u32 number; __u8 bytes[4]; } word;
	struct point points[2];
	unsigned small : 3;
	int negative : 5;
	bool flag : 1;
	enum color tint : 10;
	char name[8];
	bool yes;
	signed char tiny;
	short half;
	long long big;
	unsigned long long huge;
	struct { __u8 a; __u16 b; };
	void *where;
	__u8 raw[3];
	unsigned __int128 wide;
};
struct prefix { __u32 prefixlen; __u8 ip[4]; };

#define MAP(NAME, N, ENTRIES, KEY, VALUE, FLAGS) \
	struct { TYPE(N); __uint(max_entries, ENTRIES); __type(key, KEY); __type(value, VALUE); __uint(map_flags, FLAGS); } NAME SEC(".maps")
MAP(hash, 1, 64, __u16, struct everything, 0);
MAP(array, 2, 3, __u32, struct everything, 0);
MAP(percpu_hash, 5, 64, struct point, struct point, 0);
MAP(percpu_array, 6, 2, __u32, __u32, 0);
MAP(lru_hash, 9, 64, __u32, __u64, 0);
MAP(lru_percpu_hash, 10, 64, __u32, struct point, 0);
MAP(trie, 11, 64, struct prefix, __u32, 1 /* BPF_F_NO_PREALLOC */);
MAP(perf, 4, 2, __u32, __u32, 0);
MAP(storage, 24, 0, int, __u64, 1);
struct { TYPE(1); __uint(max_entries, 8); __uint(key_size, 3); __uint(value_size, 5); } untyped SEC(".maps");
struct inner { TYPE(2); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } inner_a SEC(".maps"), inner_b SEC(".maps");
struct { TYPE(12); __uint(max_entries, 3); __type(key, __u32); __array(values, struct inner); }
outer SEC(".maps") = { .values = { [0] = &inner_a, [2] = &inner_b } };
struct { TYPE(13); __uint(max_entries, 3); __type(key, __u32); __array(values, struct inner); }
outer_hash SEC(".maps") = { .values = { [0] = &inner_a, [2] = &inner_b } };
int other(struct __sk_buff *skb);
struct { TYPE(3); __uint(max_entries, 3); __type(key, __u32); __array(values, int(struct __sk_buff *)); }
progs SEC(".maps") = { .values = { [1] = &other } };
struct { TYPE(22); __uint(max_entries, 4); __type(value, __u64); } queue SEC(".maps");
struct { TYPE(23); __uint(max_entries, 4); __type(value, __u64); } stack SEC(".maps");
struct { TYPE(27); __uint(max_entries, 4096); } ring SEC(".maps");
struct { TYPE(30); __uint(max_entries, 4); __type(value, __u64); } bloom SEC(".maps");
struct { TYPE(31); __uint(max_entries, 4096); } user_ring SEC(".maps");

__u64 counter = 7;
struct point here;
static volatile __u32 hidden = 1;
volatile const __u32 limit = 9;
char title[16] = "a\"b\x1b[31m"; /* what it says must not reach a terminal as it is */

SEC("socket") int other(struct __sk_buff *skb) { return skb->len; }

SEC("socket") int all(struct __sk_buff *skb)
{
	struct everything e = {
		.color = GREEN, .word.number = 0x01020304, .points = { { -1, 2 }, { 3, -4 } }, .small = 5, .negative = -3, .flag = 1,
		.tint = DEEP, .name = "hi", .yes = 1, .tiny = -2, .half = -300, .big = -5000000000ll, .huge = ~0ull, .a = 1, .b = 2,
		.raw = { 1, 2, 3 }, .wide = 5,
	};
	struct prefix prefix = { 24, { 10, 1, 2, 0 } };
	struct point p = { 1, -2 };
	__u32 zero = 0, one = 1;
	__u64 length = skb->len;
	char key[3] = { 1, 2, 3 }, value[5] = { 9, 8, 7, 6, 5 };
	__u16 port = 443;
	void *inner;

	bpf_map_update_elem(&hash, &port, &e, BPF_ANY);
	port = 80;
	e.color = 77; /* not one of the enum's */
	bpf_map_update_elem(&hash, &port, &e, BPF_ANY);
	bpf_map_update_elem(&array, &one, &e, BPF_ANY);
	bpf_map_update_elem(&percpu_hash, &p, &p, BPF_ANY);
	bpf_map_update_elem(&percpu_array, &one, &one, BPF_ANY);
	bpf_map_update_elem(&lru_hash, &one, &length, BPF_ANY);
	bpf_map_update_elem(&lru_percpu_hash, &one, &p, BPF_ANY);
	bpf_map_update_elem(&trie, &prefix, &one, BPF_ANY);
	bpf_map_update_elem(&untyped, key, value, BPF_ANY);
	bpf_map_push_elem(&queue, &length, 0);
	bpf_map_push_elem(&stack, &length, 0);
	bpf_map_push_elem(&bloom, &length, 0);
	bpf_ringbuf_output(&ring, &length, sizeof(length), 0);
	inner = bpf_map_lookup_elem(&outer, &zero);
	if (inner)
		bpf_map_update_elem(inner, &zero, &length, BPF_ANY);
	inner = bpf_map_lookup_elem(&outer_hash, &zero);
	if (inner)
		bpf_map_update_elem(inner, &zero, &length, BPF_ANY);
	counter += limit;
	hidden += title[0];
	here.x += 1;
	if (skb->mark == 77)
		bpf_tail_call(skb, &progs, 1);
	/* Maps that this program can only mention. */
	asm volatile("" ::"r"(&storage), "r"(&user_ring), "r"(&perf));
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
