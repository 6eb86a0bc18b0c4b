// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * udp-limit: no client gets more datagrams through than its share.
 *
 * The job: one client that floods a UDP server must not keep the others out. What is above its rate is dropped before it is in the
 * socket's queue, where it would take the place of others.
 *
 * For UDP sockets. Byte 0 is the UDP header; the client's address is read from the IP header, wherever byte 0 is.
 */
#include "net.h"

static __u64 (*const bpf_ktime_get_ns)(void) = (void *)5;

/* A bucket of tokens: one is added every so often, `burst` are the most, and a datagram takes one. */
volatile const __u32 every_us = 10000;
volatile const __u32 burst = 20;

struct client {
	__u8 address[16]; /* that of IPv4 as ::ffff:a.b.c.d */
};

struct share {
	__u64 full_at; /* when the bucket will be full again, in nanoseconds since boot */
	__u64 kept;
	__u64 dropped;
};

/* Least recently used: a sender can forge any number of addresses, and must not be able to fill the map. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct client);
	__type(value, struct share);
} clients SEC(".maps");

__u64 kept, dropped; /* of all clients, also of those that the map has forgotten */

always_inline bool read_client(const struct __sk_buff *skb, struct client *client)
{
	if (skb->protocol == htons(ETH_P_IPV6))
		return bpf_skb_load_bytes_relative(skb, 8, client->address, 16, BPF_HDR_START_NET) == 0;
	if (skb->protocol != htons(ETH_P_IP))
		return 0;
	client->address[10] = client->address[11] = 0xff;
	return bpf_skb_load_bytes_relative(skb, 12, client->address + 12, 4, BPF_HDR_START_NET) == 0;
}

/*
 * Takes a token, or says that there is none. A bucket is one number: it lacks as many tokens as there are intervals until it is full.
 * So one compare-and-exchange takes a token, and no two CPUs take the same one. A bpf_spin_lock is refused to socket filters.
 */
always_inline bool take(struct share *share)
{
	__u64 now = bpf_ktime_get_ns(), interval = every_us * 1000ULL;

	/* No limit. Without this line whoever asks a moment after another CPU would find the bucket full a moment from now, which is too late. */
	if (!interval)
		return 1;
	/* Who is overtaken by another CPU tries again. After four times so many others of this client came through. */
	for (int attempt = 0; attempt < 4; attempt++) {
		__u64 full_at = *(volatile __u64 *)&share->full_at;
		__u64 then = (full_at > now ? full_at : now) + interval;

		if (then - now > burst * interval)
			return 0;
		if (__sync_val_compare_and_swap(&share->full_at, full_at, then) == full_at)
			return 1;
	}
	return 0;
}

SEC("socket")
int udp_limit(struct __sk_buff *skb)
{
	struct client client = {};
	struct share *share, first = {};

	/* What cannot be told apart is not limited. */
	if (!read_client(skb, &client))
		return skb->len;
	share = bpf_map_lookup_elem(&clients, &client);
	if (!share) {
		/* If another CPU is first, its element stays. */
		bpf_map_update_elem(&clients, &client, &first, BPF_NOEXIST);
		share = bpf_map_lookup_elem(&clients, &client);
		if (!share)
			return skb->len;
	}
	if (take(share)) {
		__sync_fetch_and_add(&share->kept, 1);
		__sync_fetch_and_add(&kept, 1);
		return skb->len;
	}
	__sync_fetch_and_add(&share->dropped, 1);
	__sync_fetch_and_add(&dropped, 1);
	return 0; /* drop */
}

char _license[] SEC("license") = "Dual MIT/GPL";
