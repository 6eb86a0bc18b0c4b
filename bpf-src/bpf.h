/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What a socket filter needs from the kernel's uapi, and no more, so that `clang --target=bpf` finds everything here
 * and needs no system header. Names and numbers are those of include/uapi/linux/bpf.h.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
#if __STDC_VERSION__ < 202311L
typedef _Bool bool; /* since C23 a word of the language */
#endif

/* Puts a function or a variable into the ELF section NAME; `used` keeps the compiler from dropping what nobody calls. */
#define SEC(NAME) __attribute__((section(NAME), used))

/*
 * A BTF map definition is a struct that is never filled in: the loader reads its *type*. A number N hides as the length
 * of an array (`int (*max_entries)[N]`), a type T as what a pointer points to (`T *key`).
 */
#define __uint(FIELD, N) int(*FIELD)[N]
#define __type(FIELD, T) T *FIELD

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

/* bpf_map_update_elem's flags: create the element or replace it; only create it. */
#define BPF_ANY 0
#define BPF_NOEXIST 1

/* Helpers are called by number; the verifier turns the number into the address of a kernel function. */
static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*const bpf_skb_load_bytes)(const void *skb, __u32 offset, void *to, __u32 len) = (void *)26;
static long (*const bpf_ringbuf_output)(void *ringbuf, void *data, __u64 size, __u64 flags) = (void *)130;

/* Network byte order is big-endian; these programs run on little-endian machines. */
#define ntohs(X) __builtin_bswap16(X)
#define htons(X) __builtin_bswap16(X)

/* The compiler must take X as unknown from here on: it cannot move or merge the checks before it, which the verifier wants. */
#define barrier_var(X) asm volatile("" : "+r"(X))
