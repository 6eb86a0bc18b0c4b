//! Accesses to the context that the verifier refuses, whatever else the program does.

use super::rules::{CONTEXT_READ, CONTEXT_WRITE};
use super::walk::{Value, memory, walk};
use super::{Lint, Place};
use crate::insn::Insn;
use crate::uapi::{Access, Field};

/// What to do instead of reading a field.
fn instead(name: &str) -> &'static str {
    match name {
        "data" | "data_end" | "data_meta" => {
            "a socket filter has no pointers into the packet: bpf_skb_load_bytes(skb, offset, to, len)"
        }
        "family" | "remote_ip4" | "local_ip4" | "remote_ip6" | "local_ip6" | "remote_port" | "local_port" => {
            "take it from the packet: bpf_skb_load_bytes_relative(skb, offset, to, len, BPF_HDR_START_NET), or from skb->sk"
        }
        "tstamp" | "tstamp_type" | "hwtstamp" => "bpf_ktime_get_ns() tells when the filter runs",
        "wire_len" => "skb->len is what the filter sees",
        _ => "do without it: it means nothing to a socket filter",
    }
}

pub(super) fn lints(at: &Place<'_>, insns: &[Insn]) -> Vec<Lint> {
    let mut lints = Vec::new();
    walk(insns, |slot, insn, before, _| {
        let Some((base, writes)) = memory(insn) else { return };
        if before.of(base) != Value::Context {
            return;
        }
        // Newer kernels may have more fields.
        let Some(Field { name, access, .. }) = Field::at(insn.off.into()) else { return };
        let (rule, does, mend) = match (access, writes) {
            (Access::Write, _) | (Access::Read, false) => return,
            (Access::None, false) => (CONTEXT_READ, "reads", Some(instead(name))),
            (_, true) => (CONTEXT_WRITE, "writes", None),
        };
        lints.push(at.lint(rule, Some(slot), format!("{does} skb->{name} (offset {})", insn.off), mend));
    });
    lints
}

/// The slots of accesses that surely go to the context: by a register that holds it on all paths.
pub(crate) fn accesses(insns: &[Insn]) -> Vec<usize> {
    let mut slots = Vec::new();
    walk(insns, |slot, insn, before, _| {
        if memory(insn).is_some_and(|(base, _)| before.of(base) == Value::Context) {
            slots.push(slot);
        }
    });
    slots
}
