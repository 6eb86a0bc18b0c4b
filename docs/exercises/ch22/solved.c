// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Solution of exercise 2 of chapter 22: the descriptor is an int, and the option is four bytes. */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union bpf_attr attr = { .pathname = (uintptr_t)(argc > 1 ? argv[1] : "") };
	int program = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
	int receiver = socket(AF_INET, SOCK_DGRAM, 0);

	if (setsockopt(receiver, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) < 0) {
		perror("setsockopt(SO_ATTACH_BPF)");
		return 1;
	}
	puts("attached");
	return 0;
}
