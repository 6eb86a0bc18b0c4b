// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * sni: which server a TLS client wants to talk to.
 *
 * The job: a name for encrypted traffic. A client's first message is in plain text, and says in its extension `server_name` whom it
 * wants (RFC 6066), since one address serves many names.
 *
 * `sni_socket` is for a server's TCP socket: byte 0 is the TCP header. `sni_packet` is for cooked packet sockets: byte 0 is the IP header.
 */
#include "net.h"

#define RECORD 5 /* type 22, version, length */
#define START 44 /* the record's header, type 1 and length, version, 32 random bytes, and how long the session id is */
#define EXTENSIONS 40 /* browsers have some 20 */
#define SERVER_NAME 0
#define ENCRYPTED_CLIENT_HELLO 0xfe0d

struct client_hello {
	bool ech; /* another name may be in it, encrypted: this one is then that of a front */
	char name[255];
} *hello_layout; /* puts the event's layout into the object's BTF */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} hellos SEC(".maps");

__u64 named, unnamed, incomplete; /* each client hello is one of these; without extensions it is incomplete */

/* The number of BYTES bytes at AT, which moves behind it. Negative if they are not there. */
always_inline int number(const struct __sk_buff *skb, __u32 *at, __u32 bytes)
{
	__u8 read[2] = {};

	if (bpf_skb_load_bytes(skb, *at, read + 2 - bytes, bytes) < 0)
		return -1;
	*at += bytes;
	return read[0] << 8 | read[1];
}

/* Walks over the hello that begins at AT, if one does. What is said to be so and so long is skipped; each read checks that it is there. */
always_inline void look(const struct __sk_buff *skb, int payload)
{
	struct client_hello hello = {};
	__u32 at = payload, end, name = 0, last = 0;
	int record, message, skip, type, length;
	__u8 start[START], head[4];
	bool found = 0; /* not `name != 0`: what decides a branch, the verifier must know exactly, and each round has another name */

	if (payload < 0 || bpf_skb_load_bytes(skb, at, start, sizeof(start)) < 0 || start[0] != 22 || start[1] != 3 || start[5] != 1)
		return;
	record = start[3] << 8 | start[4];
	message = start[6] << 16 | start[7] << 8 | start[8];
	end = at + RECORD + record;
	at += START + start[START - 1];
	skip = number(skb, &at, 2); /* the ciphers */
	at += skip;
	if (skip < 0 || (skip = number(skb, &at, 1)) < 0) /* the compressions */
		goto incomplete;
	at += skip;
	/* The extensions must end with the message, and the message with the record: what goes on in another record is not put together. */
	length = number(skb, &at, 2);
	if (length < 0 || message + 4 > record || at + length > end)
		goto incomplete;
	end = at + length;

	for (int extension = 0; extension < EXTENSIONS && at < end; extension++) {
		if (bpf_skb_load_bytes(skb, at, head, sizeof(head)) < 0)
			break; /* in the next segment; a name that was found before is whole */
		type = head[0] << 8 | head[1];
		length = head[2] << 8 | head[3];
		at += sizeof(head);
		if (type == ENCRYPTED_CLIENT_HELLO)
			hello.ech = 1;
		if (type == SERVER_NAME && length > 5) {
			/* A list of one: its length, type 0 for a host, the name's length. */
			name = at;
			last = length - 5 - 1;
			found = 1;
		}
		at += length;
	}
	if (!found) {
		if (at != end)
			goto incomplete;
		__sync_fetch_and_add(&unnamed, 1);
		return;
	}
	/* The lengths must agree, and the verifier must see one from 1 to 254. */
	if (number(skb, &name, 2) != (int)last + 4 || number(skb, &name, 1) != 0 || number(skb, &name, 2) != (int)last + 1 ||
	    last > sizeof(hello.name) - 2)
		goto incomplete;
	barrier_var(last);
	if (last > sizeof(hello.name) - 2 || bpf_skb_load_bytes(skb, name, hello.name, last + 1) < 0)
		goto incomplete;
	__sync_fetch_and_add(&named, 1);
	bpf_ringbuf_output(&hellos, &hello, sizeof(hello), 0);
	return;
incomplete:
	__sync_fetch_and_add(&incomplete, 1);
}

SEC("socket")
int sni_socket(struct __sk_buff *skb)
{
	look(skb, tcp_payload(skb, 0));
	return skb->len;
}

SEC("socket")
int sni_packet(struct __sk_buff *skb)
{
	look(skb, tcp_payload(skb, transport(skb, 0, IPPROTO_TCP)));
	return skb->len;
}

char _license[] SEC("license") = "Dual MIT/GPL";
