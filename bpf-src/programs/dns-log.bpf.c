// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * dns-log: which names are asked for.
 *
 * The job: see what a machine or a network looks up, since almost everything that it does next begins with that. Questions of DNS over
 * UDP, as RFC 1035 writes them: a header of 12 bytes, then the name, its type and its class.
 *
 * `dns_socket` is for a server's UDP socket: byte 0 is the UDP header. `dns_packet` is for cooked packet sockets, and takes what goes to
 * port 53: byte 0 is the IP header.
 */
#include "net.h"

#define UDP_HEADER 8
#define DNS_HEADER 12
#define NAME 255 /* bytes on the wire at most, the lengths and the final 0 included */

enum dns_type {
	A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SRV = 33, NAPTR = 35, DS = 43, DNSKEY = 48,
	SVCB = 64, HTTPS = 65, AXFR = 252, ANY = 255,
};

struct dns_query {
	enum dns_type type;
	__u16 id; /* the answer has the same */
	char name[NAME];
} *query_layout; /* puts the event's layout into the object's BTF */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} queries SEC(".maps");

__u64 logged, skipped; /* skipped: no question, or not to be understood */

/* Wipes out what stands in the name from END on. Not static: such a function is verified by itself, once, for any END. */
__attribute__((noinline)) int wipe(struct dns_query *query, __u32 end)
{
	if (!query) /* by itself means: no caller is believed */
		return 0;
	for (__u32 at = 0; at < NAME; at++)
		query->name[at] &= (int)(at - end) >> 31; /* all ones where at < end, else 0; a branch would be walked both ways */
	return 0;
}

/* The question of the message that begins at MESSAGE. False if there is none, or it is not to be understood. */
always_inline bool read_question(const struct __sk_buff *skb, __u32 message, struct dns_query *query)
{
	__u32 name = message + DNS_HEADER + 1, last = skb->len - name - 1, end;
	__u8 header[DNS_HEADER + 1], type[2], label;

	/* The first label's length comes along. An answer has the upper bit of byte 2; questions of other kinds have the next four. Two
	 * questions at once are asked by nobody. */
	if (bpf_skb_load_bytes(skb, message, header, sizeof(header)) < 0 || header[2] & 0xf8 || header[4] || header[5] != 1)
		return 0;
	query->id = header[0] << 8 | header[1];
	/* The verifier must see a length from 1 to 254. If nothing is there, `last` is huge, and the read fails. */
	if (last > NAME - 2)
		last = NAME - 2;
	barrier_var(last);
	if (bpf_skb_load_bytes(skb, name, query->name, last + 1) < 0)
		return 0;

	/* Of [3]www[7]example[3]com[0] the first length is gone already; the others become dots. A label has 1 byte at least, so 127 hops
	 * are the most. Each is checked against the buffer, and not against the packet: behind its end there are zeros. */
	label = header[DNS_HEADER];
	end = label;
	for (int hop = 0; hop < NAME / 2 && label; hop++) {
		/* More than 63 is no length, but a pointer to an earlier name; there is none. */
		if (label > 63 || end >= NAME - 1)
			return 0;
		label = query->name[end];
		if (label) {
			query->name[end] = '.';
			end += label + 1;
		}
	}
	/* The root has no label, and no 0 but its own. */
	if (label || bpf_skb_load_bytes(skb, header[DNS_HEADER] ? name + end + 1 : name, type, sizeof(type)) < 0)
		return 0;
	query->type = type[0] << 8 | type[1];
	wipe(query, end);
	return 1;
}

always_inline int log_question(const struct __sk_buff *skb, __u32 message)
{
	struct dns_query query = {}; /* all of it: what is not written would be whatever lay on the stack */
	bool is_question = read_question(skb, message, &query);

	__sync_fetch_and_add(is_question ? &logged : &skipped, 1);
	if (is_question)
		bpf_ringbuf_output(&queries, &query, sizeof(query), 0);
	return skb->len;
}

SEC("socket")
int dns_socket(struct __sk_buff *skb)
{
	return log_question(skb, UDP_HEADER);
}

SEC("socket")
int dns_packet(struct __sk_buff *skb)
{
	int udp = transport(skb, 0, IPPROTO_UDP);
	__u16 port;

	if (udp < 0 || bpf_skb_load_bytes(skb, udp + 2, &port, sizeof(port)) < 0 || port != htons(53))
		return skb->len;
	return log_question(skb, udp + UDP_HEADER);
}

char _license[] SEC("license") = "Dual MIT/GPL";
