/*
 * Preloaded into tests/bench/libbpf.c: writes down each bpf() call that made or filled something, and each descriptor that was closed,
 * for scripts/benchlib/floor.py.
 *
 *     call COMMAND RESULT ATTR [OFFSET:BYTES ...]      the attr in hex, and what its pointers point to, by their offset in the attr
 *     close FD
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define MAX_FDS 4096

static FILE *out;
static struct { unsigned int key, value; } sizes[MAX_FDS];

static void hex(const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%02x", ((const unsigned char *)bytes)[i]);
}

static void pointed(size_t offset, __u64 pointer, size_t count)
{
	if (!pointer || !count)
		return;
	fprintf(out, " %zu:", offset);
	hex((const void *)pointer, count);
}

static void write_down(int command, long result, const void *given, unsigned int size)
{
	/* What lies behind the size that was given is not the caller's. */
	union bpf_attr whole = {}, *attr = &whole;

	memcpy(&whole, given, size < sizeof(whole) ? size : sizeof(whole));
	fprintf(out, "call %d %ld ", command, result);
	hex(given, size);
	switch (command) {
	case BPF_MAP_CREATE:
		if (result < MAX_FDS) {
			sizes[result].key = attr->key_size;
			sizes[result].value = attr->value_size;
		}
		break;
	case BPF_MAP_UPDATE_ELEM:
		pointed(offsetof(union bpf_attr, key), attr->key, sizes[attr->map_fd].key);
		pointed(offsetof(union bpf_attr, value), attr->value, sizes[attr->map_fd].value);
		break;
	case BPF_PROG_LOAD:
		pointed(offsetof(union bpf_attr, insns), attr->insns, 8 * (size_t)attr->insn_cnt);
		pointed(offsetof(union bpf_attr, license), attr->license, attr->license ? strlen((const char *)attr->license) + 1 : 0);
		pointed(offsetof(union bpf_attr, func_info), attr->func_info, attr->func_info_rec_size * (size_t)attr->func_info_cnt);
		pointed(offsetof(union bpf_attr, line_info), attr->line_info, attr->line_info_rec_size * (size_t)attr->line_info_cnt);
		break;
	case BPF_BTF_LOAD:
		pointed(offsetof(union bpf_attr, btf), attr->btf, attr->btf_size);
		break;
	}
	fputc('\n', out);
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long argument[6], result;
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	if (!real)
		real = dlsym(RTLD_NEXT, "syscall");
	result = real(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
	if (number != SYS_bpf || result < 0)
		return result;
	if (!out)
		out = fopen(getenv("RECORD"), "w");
	switch (argument[0]) {
	case BPF_MAP_CREATE: case BPF_MAP_UPDATE_ELEM: case BPF_MAP_FREEZE: case BPF_PROG_LOAD: case BPF_BTF_LOAD:
		write_down(argument[0], result, (const void *)argument[1], argument[2]);
	}
	return result;
}

int close(int fd)
{
	if (out)
		fprintf(out, "close %d\n", fd);
	return syscall(SYS_close, fd);
}

/* The peer ends without the library's help, so that nothing it has made is closed. */
void _exit(int status)
{
	if (out)
		fflush(out);
	syscall(SYS_exit_group, status);
	__builtin_unreachable();
}
