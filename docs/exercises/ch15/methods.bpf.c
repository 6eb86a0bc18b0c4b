// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * methods: reports HTTP requests and answers that pass an interface. For a packet socket: byte 0 is the Ethernet header.
 *
 * It is made as many tutorials make it, with strings in the code. Each of them is a hole that a data section fills.
 */
#include "skb.h"

/* Compares up to SIZE bytes with a string that is a constant (since Linux 5.17). */
static long (*const bpf_strncmp)(const char *text, __u32 size, const char *constant) = (void *)182;

struct request {
	char line[8]; /* the first bytes of the payload */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} requests SEC(".maps");

struct request *request_layout;

volatile const __u16 port = 80;

SEC("socket")
int methods(struct __sk_buff *skb)
{
	struct request request = {};
	__u8 protocol = 0, first = 0, doff = 0;
	__u16 type = 0, from = 0, to = 0;
	__u32 ip, tcp;

	bpf_skb_load_bytes(skb, 12, &type, sizeof(type));
	bpf_skb_load_bytes(skb, 14, &first, sizeof(first));
	bpf_skb_load_bytes(skb, 14 + 9, &protocol, sizeof(protocol));
	if (type != htons(ETH_P_IP) || protocol != 6)
		return 0;
	ip = (first & 15) * 4;
	bpf_skb_load_bytes(skb, 14 + ip, &from, sizeof(from));
	bpf_skb_load_bytes(skb, 14 + ip + 2, &to, sizeof(to));
	if (from != htons(port) && to != htons(port))
		return 0;
	bpf_skb_load_bytes(skb, 14 + ip + 12, &doff, sizeof(doff));
	tcp = (doff >> 4) * 4;
	if (bpf_skb_load_bytes(skb, 14 + ip + tcp, request.line, sizeof(request.line) - 1) < 0)
		return 0;
	if (bpf_strncmp(request.line, 3, "GET") && bpf_strncmp(request.line, 4, "POST") &&
	    bpf_strncmp(request.line, 3, "PUT") && bpf_strncmp(request.line, 6, "DELETE") &&
	    bpf_strncmp(request.line, 4, "HTTP"))
		return 0;
	bpf_ringbuf_output(&requests, &request, sizeof(request), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
