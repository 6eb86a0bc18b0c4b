//! Accesses to the context that the verifier refuses, whatever else the program does.

use super::rules::{CONTEXT_READ, CONTEXT_WRITE};
use super::walk::{Value, memory, walk};
use super::{Lint, Place};
use crate::insn::Insn;

/// A field of `struct __sk_buff`, `include/uapi/linux/bpf.h`.
struct Field {
    name: &'static str,
    /// Bytes from the start.
    offset: i16,
    size: i16,
    access: Access,
}

/// What a socket filter may do with a field.
enum Access {
    Read,
    Write,
    /// Nothing; what to do instead.
    None(&'static str),
}

const fn field(name: &'static str, offset: i16, size: i16, access: Access) -> Field {
    Field { name, offset, size, access }
}

const PACKET: &str = "a socket filter has no pointers into the packet: bpf_skb_load_bytes(skb, offset, to, len)";
const ADDRESS: &str =
    "take it from the packet: bpf_skb_load_bytes_relative(skb, offset, to, len, BPF_HDR_START_NET), or from skb->sk";
const NOWHERE: &str = "do without it: it means nothing to a socket filter";
const CLOCK: &str = "bpf_ktime_get_ns() tells when the filter runs";

/// All of them, as of 6.18; a test asks the running kernel about each.
const FIELDS: [Field; 34] = [
    field("len", 0, 4, Access::Read),
    field("pkt_type", 4, 4, Access::Read),
    field("mark", 8, 4, Access::Read),
    field("queue_mapping", 12, 4, Access::Read),
    field("protocol", 16, 4, Access::Read),
    field("vlan_present", 20, 4, Access::Read),
    field("vlan_tci", 24, 4, Access::Read),
    field("vlan_proto", 28, 4, Access::Read),
    field("priority", 32, 4, Access::Read),
    field("ingress_ifindex", 36, 4, Access::Read),
    field("ifindex", 40, 4, Access::Read),
    field("tc_index", 44, 4, Access::Read),
    field("cb", 48, 20, Access::Write),
    field("hash", 68, 4, Access::Read),
    field("tc_classid", 72, 4, Access::None(NOWHERE)),
    field("data", 76, 4, Access::None(PACKET)),
    field("data_end", 80, 4, Access::None(PACKET)),
    field("napi_id", 84, 4, Access::Read),
    field("family", 88, 4, Access::None(ADDRESS)),
    field("remote_ip4", 92, 4, Access::None(ADDRESS)),
    field("local_ip4", 96, 4, Access::None(ADDRESS)),
    field("remote_ip6", 100, 16, Access::None(ADDRESS)),
    field("local_ip6", 116, 16, Access::None(ADDRESS)),
    field("remote_port", 132, 4, Access::None(ADDRESS)),
    field("local_port", 136, 4, Access::None(ADDRESS)),
    field("data_meta", 140, 4, Access::None(PACKET)),
    field("flow_keys", 144, 8, Access::None(NOWHERE)),
    field("tstamp", 152, 8, Access::None(CLOCK)),
    field("wire_len", 160, 4, Access::None("skb->len is what the filter sees")),
    field("gso_segs", 164, 4, Access::Read),
    field("sk", 168, 8, Access::Read),
    field("gso_size", 176, 4, Access::Read),
    field("tstamp_type", 180, 1, Access::None(CLOCK)),
    field("hwtstamp", 184, 8, Access::None(CLOCK)),
];

pub(super) fn lints(at: &Place<'_>, insns: &[Insn]) -> Vec<Lint> {
    let mut lints = Vec::new();
    walk(insns, |slot, insn, before, _| {
        let Some((base, writes)) = memory(insn) else { return };
        if before.of(base) != Value::Context {
            return;
        }
        let found = FIELDS.iter().find(|field| (field.offset..field.offset + field.size).contains(&insn.off));
        // Newer kernels may have more fields.
        let Some(Field { name, access, .. }) = found else { return };
        let (rule, does, mend) = match (access, writes) {
            (Access::Write, _) | (Access::Read, false) => return,
            (Access::None(instead), false) => (CONTEXT_READ, "reads", Some(*instead)),
            (_, true) => (CONTEXT_WRITE, "writes", None),
        };
        lints.push(at.lint(rule, Some(slot), format!("{does} skb->{name} (offset {})", insn.off), mend));
    });
    lints
}
