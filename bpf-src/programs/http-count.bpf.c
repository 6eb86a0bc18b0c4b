// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * http-count: how many HTTP/1 requests of each method, and answers of each status.
 *
 * The job: the rate and the error rate of a server that nobody can or may change. Of a message nothing is kept but its kind.
 *
 * `http_socket` is for TCP sockets: byte 0 is the TCP header. A socket's filter sees what comes in: on a server the requests, on a client
 * the answers. `http_packet` is for cooked packet sockets, and sees both: byte 0 is the IP header.
 */
#include "net.h"

enum http_method { OTHER, GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH };
enum http_class { INFORMATION = 1, SUCCESS, REDIRECTION, CLIENT_ERROR, SERVER_ERROR };

#define COUNTER(NAME, KEY, ENTRIES)              \
	struct {                                 \
		__uint(type, BPF_MAP_TYPE_HASH); \
		__uint(max_entries, ENTRIES);    \
		__type(key, KEY);                \
		__type(value, __u64);            \
	} NAME SEC(".maps")

COUNTER(methods, enum http_method, 16);
COUNTER(classes, enum http_class, 8);
COUNTER(codes, __u16, 512); /* from 100 to 599: a peer that invents codes cannot fill it */

always_inline void count(void *map, const void *key)
{
	__u64 *seen, none = 0;

	seen = bpf_map_lookup_elem(map, key);
	if (!seen) {
		/* Another CPU may be first: BPF_NOEXIST then fails, and what that CPU has counted stays. */
		bpf_map_update_elem(map, key, &none, BPF_NOEXIST);
		seen = bpf_map_lookup_elem(map, key);
	}
	if (seen)
		__sync_fetch_and_add(seen, 1);
}

/* Up to eight characters as one number, in the order in which they lie in the packet. */
#define WORD(TEXT) ((union { char text[8]; __u64 word; }){ .text = TEXT }.word)
#define IS_DIGIT(C) ((C) >= '0' && (C) <= '9')

always_inline void look(const struct __sk_buff *skb, int payload)
{
	__u64 word = 0;
	__u8 start[12];

	/* The shortest status line begins "HTTP/1.1 200", and no request line is shorter: 12 bytes, or it is no beginning of a message. */
	if (payload < 0 || bpf_skb_load_bytes(skb, payload, start, sizeof(start)) < 0)
		return;
	for (int at = 0; at < 8 && start[at] != ' '; at++)
		word |= (__u64)start[at] << (8 * at);

	if (word == WORD("HTTP/1.1") || word == WORD("HTTP/1.0")) {
		enum http_class class = start[9] - '0';
		__u16 code = class * 100 + (start[10] - '0') * 10 + (start[11] - '0');

		/* A blank and three digits. This bounds the number of keys, too. */
		if (start[8] != ' ' || start[9] < '1' || start[9] > '5' || !IS_DIGIT(start[10]) || !IS_DIGIT(start[11]))
			return;
		count(&classes, &class);
		count(&codes, &code);
		return;
	}
	enum http_method method = word == WORD("GET") ? GET : word == WORD("HEAD") ? HEAD : word == WORD("POST") ? POST :
				  word == WORD("PUT") ? PUT : word == WORD("DELETE") ? DELETE : word == WORD("CONNECT") ? CONNECT :
				  word == WORD("OPTIONS") ? OPTIONS : word == WORD("TRACE") ? TRACE :
				  word == WORD("PATCH") ? PATCH : OTHER;

	/* Other may be anything: the rest of a body, or TLS. */
	if (method != OTHER)
		count(&methods, &method);
}

SEC("socket")
int http_socket(struct __sk_buff *skb)
{
	look(skb, tcp_payload(skb, 0));
	return skb->len;
}

SEC("socket")
int http_packet(struct __sk_buff *skb)
{
	look(skb, tcp_payload(skb, transport(skb, 0, IPPROTO_TCP)));
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
