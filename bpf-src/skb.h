/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The context of a socket filter: a view of struct sk_buff whose offsets are fixed for ever (`struct __sk_buff`,
 * include/uapi/linux/bpf.h). The verifier rewrites each access to the real field. A socket filter may read what is
 * named here, and write only cb[]; `data` and `data_end`, at offsets 76 and 80, are for other program types.
 */
#pragma once
#include "bpf.h"

struct __sk_buff {
	__u32 len;
	__u32 pkt_type;
	__u32 mark;
	__u32 queue_mapping;
	__u32 protocol; /* EtherType, in network byte order */
	__u32 vlan_present;
	__u32 vlan_tci;
	__u32 vlan_proto;
	__u32 priority;
	__u32 ingress_ifindex;
	__u32 ifindex;
	__u32 tc_index;
	__u32 cb[5];
	__u32 hash;
};

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
