/*
 * The floor: the bpf() calls of one load, recorded from libbpf, without a loader. What scripts/benchlib/floor.py writes into floor.h is
 * ready to be handed over but for the numbers of descriptors, which are filled in as they come. No library, not even C's.
 */
#include <linux/in.h>
#include <linux/socket.h>
#include <linux/time.h>
#include <linux/types.h>
#include <asm/unistd_64.h>

#define AF_INET 2
#define SOCK_DGRAM 2
#define SOCK_CLOEXEC 02000000
#define SOL_SOCKET 1
#define SO_ATTACH_BPF 50

/* A word of an attr that is the address of the bytes at `offset` of the blob; a word that is the descriptor of an earlier step. */
struct pointer { __u32 at, offset; };
struct descriptor { __u32 at, step; };

struct step {
	__u32 command, size;
	__u32 pointers, first_pointer;
	__u32 descriptors, first_descriptor;
	/* Of these `at` is an offset into the blob: immediates of instructions. */
	__u32 patches, first_patch;
	__u64 attr[20];
};

#include "floor.h"

static int fds[STEPS + 1];

static long call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return result;
}

static long now(void)
{
	struct { long seconds, nanoseconds; } time;

	call(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, (long)&time, 0, 0, 0);
	return time.seconds * 1000000000L + time.nanoseconds;
}

static void say(long total)
{
	char text[64] = "T open 0 load+attach ", digits[20];
	int length = 21, count;

	for (int twice = 0; twice < 2; twice++) {
		long rest = total;

		for (count = 0; rest; rest /= 10)
			digits[count++] = '0' + rest % 10;
		while (count)
			text[length++] = digits[--count];
		for (const char *word = twice ? "\n" : " total "; *word; word++)
			text[length++] = *word;
	}
	call(__NR_write, 2, (long)text, length, 0, 0);
}

static void run(void)
{
	for (int i = 0; i < STEPS; i++) {
		struct step *step = &steps[i];

		for (__u32 n = 0; n < step->pointers; n++) {
			struct pointer *pointer = &pointers[step->first_pointer + n];

			*(__u64 *)((char *)step->attr + pointer->at) = (__u64)(blob + pointer->offset);
		}
		for (__u32 n = 0; n < step->descriptors; n++) {
			struct descriptor *fd = &descriptors[step->first_descriptor + n];

			*(__u32 *)((char *)step->attr + fd->at) = fds[fd->step];
		}
		for (__u32 n = 0; n < step->patches; n++) {
			struct descriptor *fd = &patches[step->first_patch + n];

			*(__u32 *)(blob + fd->at) = fds[fd->step];
		}
		fds[i] = call(__NR_bpf, step->command, (long)step->attr, step->size, 0, 0);
		if (fds[i] < 0)
			call(__NR_exit_group, 100, 0, 0, 0, 0);
	}
}

__attribute__((force_align_arg_pointer)) void _start(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f };
	long begin = now(), socket;

	run();
	socket = call(__NR_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
	call(__NR_bind, socket, (long)&address, sizeof(address), 0, 0);
	/* Of a large program the socket may refuse to be charged, as in bench_load.rs. */
	call(__NR_setsockopt, socket, SOL_SOCKET, SO_ATTACH_BPF, (long)&fds[FIRST_PROGRAM], sizeof(int));
	say(now() - begin);
	call(__NR_exit_group, 0, 0, 0, 0, 0);
}
