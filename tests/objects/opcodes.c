// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Not a filter: a tour of the instructions that clang generates, for the test that holds our disassembly against
 * llvm-objdump's. It is compiled for each -mcpu; V3 says that 32-bit operations and atomics with a result exist.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(NAME) __attribute__((section(NAME), used))

/* LD_ABS and LD_IND: classic BPF's packet loads. */
u64 load_byte(void *skb, u64 off) asm("llvm.bpf.load.byte");
u64 load_half(void *skb, u64 off) asm("llvm.bpf.load.half");
u64 load_word(void *skb, u64 off) asm("llvm.bpf.load.word");

u64 big;
u32 small;

SEC("socket") int packet_loads(u32 *skb)
{
	return load_byte(skb, 12) + load_half(skb, 14) + load_word(skb, 16) + load_byte(skb, *skb) +
	       load_half(skb, *skb) + load_word(skb, *skb);
}

SEC("socket") long byte_swaps(u64 *p)
{
	u64 a = __builtin_bswap64(p[0]);
	u32 b = __builtin_bswap32(p[1]);
	u16 c = __builtin_bswap16(p[2]);

	return a ^ b ^ c;
}

SEC("socket") long arithmetic(long *p)
{
	long a = p[0], b = p[1];
	unsigned long c = p[2];
	int d = p[3];
	unsigned e = p[4];

	a += b;
	a *= 7;
	a -= b * 3;
	a ^= 0x55;
	a |= b;
	a &= ~c;
	a <<= b & 63;
	a >>= 3;
	a = -a;
	c >>= 5;
	c /= 10;
	c %= (unsigned long)b;
	d += e;
	d *= 9;
	d = -d;
	d >>= 2;
	e >>= 4;
	e /= 3;
	e %= 17;
	d <<= e & 31;
	d ^= e;
	d |= 0x70;
	d -= 5;
	return a + c + d + e;
}

#define WHEN(CONDITION) \
	if (CONDITION) \
		r += ((volatile int *)p)[7]; \
	asm volatile("" : "+r"(r));

SEC("socket") long jumps(int *p)
{
	int a = p[0], b = p[1];
	unsigned c = p[2], d = p[3];
	long e = p[4], f = ((long *)p)[5], r = 0;
	unsigned long g = ((long *)p)[6];

	WHEN(a < b) WHEN(a <= 5) WHEN(a > -3) WHEN(a >= b) WHEN(a == b) WHEN(a != 9)
	WHEN(c < d) WHEN(c <= d) WHEN(c > 77) WHEN(c & 4)
	WHEN(e < f) WHEN(e > 5) WHEN(e >= f) WHEN(e <= -1) WHEN(e == f)
	WHEN(g < 1000) WHEN(g > f) WHEN(g & 0x80)
	return r;
}

SEC("socket") long widths(volatile char *p)
{
	*(volatile u8 *)p = 1;
	*(volatile u16 *)(p + 2) = 0xffff;
	*(volatile u32 *)(p + 4) = 70000;
	*(volatile u64 *)(p + 8) = -1;
	return *(volatile signed char *)(p - 1) + *(volatile short *)(p + 2) + *(volatile int *)(p + 4) +
	       *(volatile u8 *)p + *(volatile u16 *)(p + 2) + *(volatile u64 *)(p + 8) + 0x1122334455667788;
}

SEC("socket") long additions(u64 *p)
{
	__sync_fetch_and_add(&big, 3);
	__sync_fetch_and_add(&small, 3);
	return *p;
}

#ifdef V3
SEC("socket") long atomics(u64 *p)
{
	u64 a = __sync_fetch_and_add(p, 5);

	a += __sync_fetch_and_or(p, 6);
	a += __sync_fetch_and_and(p, 9);
	a += __sync_fetch_and_xor(p, 4);
	a += __sync_lock_test_and_set(p, 3);
	a += __sync_val_compare_and_swap(p, 1, 2);
	return a;
}
#endif

SEC("socket") __attribute__((noinline)) int callee(int x)
{
	return x * 3;
}

SEC("socket/call") int caller(int *x)
{
	return callee(*x) + ((int (*)(int))7)(5);
}

/* What clang 14 does not generate and llvm-objdump 14 does read. */
SEC("socket/asm") __attribute__((naked)) int assembled(void)
{
	asm volatile("r1 = le16 r1\n r1 = le32 r1\n r1 = le64 r1\n"
		     "lock *(u64 *)(r2 - 8) += r1\n lock *(u32 *)(r2 + 4) += r1\n"
		     "if r1 s<= -7 goto +1\n r0 = -1\n exit\n");
}
