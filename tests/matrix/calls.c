/* Functions: static and global, nested, shared by two programs, given to a helper by their address. */
#include "skb.h"

#define noinline __attribute__((noinline))
#define hide(X) asm volatile("" : "+r"(X))

static long (*const bpf_loop)(__u32 n, void *callback, void *ctx, __u64 flags) = (void *)181;

static noinline int plus_one(int x) { hide(x); return x + 1; }
noinline int doubled(int x) { hide(x); return plus_one(x) * 2; }
static noinline int fourfold(int x) { hide(x); return doubled(x) + doubled(x + 1); }
static long add(__u32 n, __u64 *sum) { *sum += n; return 0; }

SEC("socket") int nested(struct __sk_buff *skb) { return fourfold(skb->len) + plus_one(skb->hash); }
SEC("socket") int shared(struct __sk_buff *skb) { return doubled(skb->len); }
SEC("socket") int callback(struct __sk_buff *skb)
{
	__u64 sum = 0;

	bpf_loop(10, add, &sum, 0);
	return sum + skb->len;
}

char _license[] SEC("license") = "GPL";
