/* What the verifier rewrites: each function has one kind of it, or two that meet. */
#include "skb.h"

#define hide(X) asm volatile("" : "+r"(X))
#define noinline __attribute__((noinline))
#define TYPE(N) __uint(type, N)
#define __array(FIELD, T) typeof(T) *FIELD[]

static __u32 (*const bpf_get_prandom_u32)(void) = (void *)7;
static __u32 (*const bpf_get_smp_processor_id)(void) = (void *)8;
static long (*const bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;
static __u64 (*const bpf_jiffies64)(void) = (void *)118;
static long (*const bpf_loop)(__u32 n, void *callback, void *ctx, __u64 flags) = (void *)181;
static void *(*const bpf_map_lookup_percpu_elem)(void *map, const void *key, __u32 cpu) = (void *)195;

struct pair { __u64 a, b; };
struct odd { char text[24]; };
#define MAP(NAME, N, VALUE) \
	struct { TYPE(N); __uint(max_entries, 5); __type(key, __u32); __type(value, VALUE); } NAME SEC(".maps")
MAP(hash, 1, __u64);
MAP(array, 2, struct pair);
MAP(odd_array, 2, struct odd);
MAP(percpu_hash, 5, __u64);
MAP(percpu_array, 6, __u64);
MAP(lru, 9, __u64);
struct inner { TYPE(1); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); };
struct { TYPE(13); __uint(max_entries, 4); __type(key, __u32); __array(values, struct inner); } nested SEC(".maps");
struct { TYPE(3); __uint(max_entries, 3); __uint(key_size, 4); __uint(value_size, 4); } programs SEC(".maps");

/* Every field that a socket filter may read; two accesses to one, one narrow, one of a part. */
struct view {
	__u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority, ingress_ifindex,
		ifindex, tc_index, cb[5], hash, tc_classid, data, data_end, napi_id, family[16], tstamp[2], wire_len, gso_segs;
	struct sock_view *sk;
	__u32 gso_size;
};
struct sock_view { __u32 bound_dev_if, family, type, protocol, mark, priority, src_ip4; };

SEC("socket") int fields(volatile struct view *skb)
{
	__u32 sum = skb->len + skb->pkt_type;

	sum += skb->mark;
	sum += skb->queue_mapping;
	sum += skb->protocol;
	sum += skb->vlan_present;
	sum += skb->vlan_tci;
	sum += skb->vlan_proto;
	sum += skb->priority;
	sum += skb->ingress_ifindex;
	sum += skb->ifindex;
	sum += skb->tc_index;
	sum += skb->hash;
	sum += skb->napi_id;
	sum += skb->gso_segs;
	sum += skb->gso_size;
	return sum;
}

SEC("socket") int parts(volatile struct view *skb)
{
	volatile __u8 *bytes = (volatile __u8 *)&skb->protocol;
	volatile __u16 *halves = (volatile __u16 *)&skb->mark;

	skb->cb[0] = bytes[1];
	skb->cb[1] = halves[1];
	skb->cb[4] = skb->cb[0] + skb->cb[1];
	if (skb->pkt_type == 4)
		skb->cb[2] = 7;
	return skb->cb[4] + skb->cb[2];
}

/* A pointer to another view. */
SEC("socket") int peer(volatile struct view *skb)
{
	volatile struct sock_view *sk = skb->sk;

	return sk ? sk->family + sk->src_ip4 : 0;
}

SEC("socket") int lookups(struct __sk_buff *skb)
{
	__u32 key = skb->len & 3, other = 1;
	__u64 *value = bpf_map_lookup_elem(&hash, &key);
	struct pair *pair;
	char *text;
	void *inner;

	if (value)
		++*value;
	pair = bpf_map_lookup_elem(&array, &key);
	if (pair && pair->a == 3)
		pair->b += skb->hash;
	text = bpf_map_lookup_elem(&odd_array, &other);
	if (text)
		text[5]++;
	value = bpf_map_lookup_elem(&lru, &key);
	if (!value)
		return 0;
	value = bpf_map_lookup_elem(&percpu_array, &other);
	if (value)
		*value += 2;
	value = bpf_map_lookup_elem(&percpu_hash, &other);
	if (value)
		*value += 3;
	value = bpf_map_lookup_percpu_elem(&percpu_array, &other, 0);
	if (value)
		*value += 4;
	inner = bpf_map_lookup_elem(&nested, &other);
	if (inner) {
		value = bpf_map_lookup_elem(inner, &other);
		if (value)
			*value += 5;
	}
	return skb->len;
}

/* Two lookups in a row, whose results are tested alike. */
SEC("socket") int twins(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *one = bpf_map_lookup_elem(&hash, &key);
	__u64 *two = bpf_map_lookup_elem(&hash, &key);

	if (!one)
		return 0;
	if (!two)
		return 0;
	return *one == *two;
}

/* After the lookup comes what looks like its own end. */
SEC("socket") int deceptive(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 number;
	char *value = bpf_map_lookup_elem(&hash, &key);

	asm volatile("if r0 == 0 goto +1; r0 += 4" ::: "r0");
	asm volatile("r0 += 0; %0 = 1" : "=r"(number));
	return number + (value != 0);
}

SEC("socket") int inlined(struct __sk_buff *skb)
{
	__u64 sum = bpf_get_smp_processor_id();

	sum += bpf_jiffies64();
	sum += bpf_get_prandom_u32();
	sum += bpf_get_smp_processor_id();
	return sum;
}

SEC("socket") int divisions(struct __sk_buff *skb)
{
	__u64 a = skb->len, b = skb->hash;
	__u32 c = skb->mark, d = skb->priority;

	hide(a);
	a = a / b + a % b;
	c = c / d + c % d;
	return a + c + a / 7;
}

/* The old way to the packet: BPF_LD, which wants the context in r6. */
__u64 load_byte(void *skb, __u64 off) asm("llvm.bpf.load.byte");
__u64 load_half(void *skb, __u64 off) asm("llvm.bpf.load.half");
__u64 load_word(void *skb, __u64 off) asm("llvm.bpf.load.word");

SEC("socket") int packet(struct __sk_buff *skb)
{
	__u32 header = load_byte(skb, 0) & 15;

	if (load_half(skb, header * 4))
		return load_word(skb, header * 4 + 2) + skb->len;
	return load_word(skb, 4);
}

const volatile __u32 off = 0, on = 1;

static noinline int never_called(int x) { hide(x); return x + bpf_get_prandom_u32(); }
static noinline int called(int x) { hide(x); return x * 3; }

/* Branches on constants: cut out at the beginning, in the middle, with a call, and one that always jumps. */
SEC("socket") int dead(struct __sk_buff *skb)
{
	int sum = 0;

	if (off)
		sum += never_called(skb->len);
	if (on)
		sum += called(skb->hash);
	else
		sum += never_called(7);
	if (off) {
		sum *= 3;
		skb->cb[0] = sum;
	} else if (skb->len > 5) {
		sum += skb->mark;
	}
	if (!on)
		return -1;
	while (off)
		sum++;
	return sum + skb->len;
}

/* Dead and live code that are alike. */
SEC("socket") int alike(struct __sk_buff *skb)
{
	int sum = skb->len;

	if (off) {
		hide(sum);
		sum += 3;
		hide(sum);
	}
	hide(sum);
	sum += 3;
	hide(sum);
	if (on) {
		sum += 3;
		hide(sum);
	}
	return sum;
}

static long add(__u32 n, __u64 *sum) { *sum += n; return 0; }

SEC("socket") int loops(struct __sk_buff *skb)
{
	__u64 sum = 0;
	int i;

	bpf_loop(skb->len & 7, add, &sum, 0);
	for (i = 0; i < 4; i++) {
		__u32 key = i;
		struct pair *pair = bpf_map_lookup_elem(&array, &key);

		hide(i);
		if (pair)
			sum += pair->a;
		if (i > 3 || i < 0)
			break;
	}
	return sum;
}

SEC("socket") int tail(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &programs, skb->len);
	bpf_tail_call(skb, &programs, 2);
	return skb->len;
}

char _license[] SEC("license") = "GPL";
