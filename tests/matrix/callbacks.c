/* Functions whose address is given to a helper; one of them calls another. */
#include "skb.h"

#define noinline __attribute__((noinline))
#define hide(X) asm volatile("" : "+r"(X))

static long (*const bpf_loop)(__u32 n, void *callback, void *ctx, __u64 flags) = (void *)181;

static noinline int squared(int x) { hide(x); return x * x; }
static long add(__u32 n, __u64 *sum) { *sum += n; return 0; }
static long add_squared(__u32 n, __u64 *sum) { *sum += squared(n); return 0; }

SEC("socket") int one(struct __sk_buff *skb)
{
	__u64 sum = 0;

	bpf_loop(10, add, &sum, 0);
	return sum + skb->len;
}

SEC("socket") int two(struct __sk_buff *skb)
{
	__u64 sum = 0;

	bpf_loop(4, add_squared, &sum, 0);
	bpf_loop(4, add, &sum, 0);
	return sum + squared(3);
}

char _license[] SEC("license") = "GPL";
