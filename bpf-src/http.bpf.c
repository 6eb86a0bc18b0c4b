// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * http: reports HTTP/1 requests and answers as they arrive on a TCP socket.
 *
 * Lesson: reading a packet, and telling about it. Byte 0 is the TCP header, whose length stands in the upper half of
 * byte 12; the payload follows. bpf_skb_load_bytes reads all or nothing. A ring buffer takes the finds to user space.
 */
#include "skb.h"

enum http_kind { HTTP_REQUEST = 1, HTTP_RESPONSE = 2 };

struct http_event {
	enum http_kind kind;
	__u32 payload; /* bytes of payload in this packet */
	char start[24]; /* the first of them */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} events SEC(".maps");

/* Puts the event's layout into the object's BTF, which holds only what functions, maps and globals mention. */
struct http_event *event_layout;

/* The first four bytes of TEXT as one number, in the order in which they lie in the packet. */
#define WORD(TEXT) ((__u32)(TEXT)[0] | (__u32)(TEXT)[1] << 8 | (__u32)(TEXT)[2] << 16 | (__u32)(TEXT)[3] << 24)

SEC("socket")
int http(struct __sk_buff *skb)
{
	struct http_event event = {};
	__u32 header, word, last;
	__u8 doff;

	if (bpf_skb_load_bytes(skb, 12, &doff, sizeof(doff)) < 0)
		return skb->len;
	header = (doff >> 4) * 4;
	if (skb->len < header + 8)
		return skb->len;
	event.payload = skb->len - header;
	/* The verifier must see a length of 1 to 24: 0 to 23, and 1 more. */
	last = event.payload - 1;
	if (last > sizeof(event.start) - 1)
		last = sizeof(event.start) - 1;
	barrier_var(last);
	if (bpf_skb_load_bytes(skb, header, event.start, last + 1) < 0)
		return skb->len;
	__builtin_memcpy(&word, event.start, sizeof(word));
	if (word == WORD("HTTP") && event.start[4] == '/' && event.start[5] == '1')
		event.kind = HTTP_RESPONSE;
	else if (word == WORD("GET ") || word == WORD("HEAD") || word == WORD("POST") || word == WORD("PUT ") ||
		 word == WORD("DELE") || word == WORD("OPTI") || word == WORD("PATC"))
		event.kind = HTTP_REQUEST;
	if (event.kind)
		bpf_ringbuf_output(&events, &event, sizeof(event), 0);
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
