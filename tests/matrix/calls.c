/* Functions: static, global, weak and hidden, nested, shared by two programs. */
#include "skb.h"

#define noinline __attribute__((noinline))
#define hide(X) asm volatile("" : "+r"(X))

static noinline int plus_one(int x) { hide(x); return x + 1; }
noinline int doubled(int x) { hide(x); return plus_one(x) * 2; }
static noinline int fourfold(int x) { hide(x); return doubled(x) + doubled(x + 1); }
__attribute__((weak)) noinline int halved(int x) { hide(x); return x >> 1; }
/* A global function is verified for any argument; a hidden one may have a pointer that is never NULL here. */
__attribute__((visibility("hidden"))) noinline int increased(int *x) { hide(x); return ++*x; }

SEC("socket") int nested(struct __sk_buff *skb) { return fourfold(skb->len) + plus_one(skb->hash); }
SEC("socket") int shared(struct __sk_buff *skb) { return doubled(skb->len); }
SEC("socket") int weak(struct __sk_buff *skb) { return halved(skb->len); }
SEC("socket") int hidden(struct __sk_buff *skb) { int x = skb->len; increased(&x); return x; }

char _license[] SEC("license") = "GPL";
