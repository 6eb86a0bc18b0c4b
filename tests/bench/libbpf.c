/* The same as loader/examples/bench_load.rs, by libbpf: every socket filter of an object loaded, the first attached to a UDP socket. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

int main(int count, char **arguments)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct bpf_object *object;
	long begin, opened, end;
	int program, socket_fd;

	if (count != 2)
		return 2;
	libbpf_set_print(silent);
	begin = now();
	object = bpf_object__open(arguments[1]);
	if (!object)
		return 3;
	opened = now();
	if (bpf_object__load(object))
		return 5;
	socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bind(socket_fd, (struct sockaddr *)&address, sizeof(address));
	program = bpf_program__fd(bpf_object__next_program(object, NULL));
	setsockopt(socket_fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program));
	end = now();
	if (getenv("PERF_T"))
		fprintf(stderr, "T open %ld load+attach %ld total %ld\n", opened - begin, end - opened, end - begin);
	_exit(0);
}
