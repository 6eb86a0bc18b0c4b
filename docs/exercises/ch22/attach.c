// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Takes a pinned socket filter, puts it on a UDP socket before bind(2), and sends itself three datagrams. */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	const char *const datagrams[] = { "short", "a datagram with more than twenty bytes", "end" };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	union bpf_attr attr;
	char text[64] = "";

	/* Zero all of it: the kernel refuses bytes that it does not know unless they are zero. */
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)(argc > 1 ? argv[1] : "");
	int program = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
	if (program < 0)
		fail("bpf(BPF_OBJ_GET)");

	int receiver = socket(AF_INET, SOCK_DGRAM, 0);
	if (setsockopt(receiver, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) < 0)
		fail("setsockopt(SO_ATTACH_BPF)");
	close(program); /* the socket holds it */
	if (bind(receiver, (void *)&address, sizeof(address)) < 0 || getsockname(receiver, (void *)&address, &length) < 0)
		fail("bind");

	int sender = socket(AF_INET, SOCK_DGRAM, 0);
	for (int i = 0; i < 3; i++)
		sendto(sender, datagrams[i], strlen(datagrams[i]), 0, (void *)&address, sizeof(address));
	while (strcmp(text, "end") != 0) {
		ssize_t got = recv(receiver, text, sizeof(text) - 1, 0);
		if (got < 0)
			fail("recv");
		text[got] = 0;
		printf("received: %s\n", text);
	}
	return 0;
}
