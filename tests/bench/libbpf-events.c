/* The same as loader/examples/bench_events.rs, by libbpf: a ring is filled again and again, and read empty. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <bpf/libbpf.h>

static unsigned long long sum, events;

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

static int of_ring(void *context, void *data, size_t size)
{
	unsigned long long first;

	if (size >= sizeof(first)) {
		memcpy(&first, data, sizeof(first));
		sum += first;
	}
	events++;
	return 0;
}

static void of_perf(void *context, int cpu, void *data, __u32 size)
{
	of_ring(context, data, size);
}

int main(int count, char **arguments)
{
	struct perf_buffer *perf = NULL;
	struct ring_buffer *ring = NULL;
	struct bpf_object *object;
	int program, pair[2], rounds, packets, map;
	long begin, end;

	if (count != 4)
		return 2;
	packets = atoi(arguments[2]);
	rounds = atoi(arguments[3]);
	libbpf_set_print(silent);
	object = bpf_object__open(arguments[1]);
	if (!object || bpf_object__load(object))
		return 5;
	map = bpf_object__find_map_fd_by_name(object, "events");
	if (bpf_map__type(bpf_object__find_map_by_name(object, "events")) == BPF_MAP_TYPE_RINGBUF)
		ring = ring_buffer__new(map, of_ring, NULL, NULL);
	else
		perf = perf_buffer__new(map, 4096, of_perf, NULL, NULL, NULL);
	if (!ring && !perf)
		return 1;
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair);
	program = bpf_program__fd(bpf_object__find_program_by_name(object, "fill"));
	if (setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)))
		return 6;
	while (rounds--) {
		for (int packet = 0; packet < packets; packet++)
			if (send(pair[0], "packet", 6, 0) != 6)
				return 1;
		events = 0;
		begin = now();
		if (ring)
			ring_buffer__consume(ring);
		else
			perf_buffer__consume(perf);
		end = now();
		fprintf(stderr, "T events %llu ns %ld\n", events, end - begin);
	}
	printf("%llu\n", sum);
	return 0;
}
