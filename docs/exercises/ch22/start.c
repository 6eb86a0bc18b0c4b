// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Exercise 2 of chapter 22: opens a pinned filter and puts it on a UDP socket. syscall(2) returns a long. */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union bpf_attr attr = { .pathname = (uintptr_t)(argc > 1 ? argv[1] : "") };
	long program = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
	int receiver = socket(AF_INET, SOCK_DGRAM, 0);

	if (setsockopt(receiver, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) < 0) {
		perror("setsockopt(SO_ATTACH_BPF)");
		return 1;
	}
	puts("attached");
	return 0;
}
