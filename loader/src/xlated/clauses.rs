//! The clauses that say what became of an instruction.

use super::flow::is_goto;
use super::reason::Change;
use super::{Kallsyms, Pair};
use crate::insn::Insn;

/// Of something that is no more.
pub(super) fn gone(pair: &Pair, one: Insn) -> (Change, String) {
    let text = match pair.taken {
        Some(true) if is_goto(one) => "there is nothing left to jump over: cut out",
        Some(true) => "always jumps, and there is nothing left to jump over: cut out",
        Some(false) => "never jumps: cut out",
        None => return (Change::Dead, "no path leads here: cut out".to_owned()),
    };
    (Change::Branch, text.to_owned())
}

/// How many instructions there are, in words.
pub(super) fn count(insns: &[Insn]) -> String {
    match insns.len() - insns.iter().filter(|insn| insn.is_lddw()).count() {
        1 => "one instruction".to_owned(),
        count => format!("{count} instructions"),
    }
}

/// The register that an access goes by.
pub(super) fn base(insn: Insn) -> u8 {
    if insn.code & 7 == 1 { insn.src() } else { insn.dst() }
}

pub(super) fn a_view() -> String {
    "a field of a view whose offsets never change (struct __sk_buff, struct bpf_sock, …) became the real one".to_owned()
}

/// The member of `struct sk_buff` that a field of the view comes from, and the struct that this only leads to.
///
/// Kernel: `bpf_convert_ctx_access()`, `net/core/filter.c`.
pub(super) fn behind(field: &str) -> (&str, &str) {
    match field {
        "vlan_present" => ("vlan_all", ""),
        "ingress_ifindex" => ("skb_iif", ""),
        "ifindex" => ("dev", "net_device"),
        "cb[]" => ("cb", ""),
        "gso_segs" | "gso_size" => ("end", "skb_shared_info"),
        same => (same, ""),
    }
}

/// `BPF_FUNC_map_lookup_elem`, `BPF_FUNC_tail_call`, `BPF_FUNC_loop`.
const MAP_LOOKUP_ELEM: i32 = 1;
const TAIL_CALL: i32 = 12;
const LOOP: i32 = 181;

/// What stands in place of a helper's call.
pub(super) fn inlined(number: i32, xlated: &[Insn], symbols: &Kallsyms) -> String {
    let count = count(xlated);
    match number {
        MAP_LOOKUP_ELEM => lookup(xlated, symbols).unwrap_or_else(|| format!("{count} in place of a call")),
        // Where the program was loaded without CAP_PERFMON.
        TAIL_CALL => {
            "a check of the index against the map's size before it, that holds under speculation, too".to_owned()
        }
        LOOP => format!("{count} that count, and call the callback each time"),
        _ => format!("{count} in place of a call"),
    }
}

/// A map's lookup, as its type has it.
///
/// Kernel: `array_map_gen_lookup()` and its like, `kernel/bpf/arraymap.c`; `htab_map_gen_lookup()` and its like, `kernel/bpf/hashtab.c`.
fn lookup(xlated: &[Insn], symbols: &Kallsyms) -> Option<String> {
    let first = xlated.first()?;
    // `if r0 >= max_entries`.
    let bound = xlated.iter().find(|insn| insn.code == 0x35 && insn.dst() == 0);
    let mut text = match (first.code, bound) {
        (Insn::CALL, _) => format!("{} finds the element", symbols.callee(first.imm).unwrap_or("the map's own lookup")),
        (_, Some(bound)) => format!(
            "the index, if below {}, times the size of a value, from the array's beginning",
            bound.imm.cast_unsigned()
        ),
        _ => return None,
    };
    // `*(u8 *)(r0 + N) = 1`, of a hash that throws out what is used least.
    if xlated.iter().any(|insn| insn.code == 0x72) {
        text += " and marks it as just used";
    }
    let step = xlated.iter().find(|insn| first.code == Insn::CALL && insn.code == 0x07 && insn.dst() == 0);
    text += &step.map_or_else(String::new, |step| format!(", its value lies {} bytes on", step.imm));
    // `r0 = *(u64 *)(r0 +0)`.
    if xlated.iter().any(|insn| insn.code == 0x79 && insn.regs == 0) {
        let is_percpu = xlated.iter().any(|insn| insn.code == 0xbf && insn.off == -1);
        text +=
            if is_percpu { "; there is a pointer to this CPU's copy" } else { "; there is a pointer to the inner map" };
    }
    Some(text)
}

/// Kernel: `bpf_gen_ld_abs()`, `net/core/filter.c`.
pub(super) fn packet_load(one: Insn, xlated: &[Insn]) -> String {
    let bytes = match one.code & 0x18 {
        0x10 => "a byte",
        0x08 => "2 bytes",
        _ => "4 bytes",
    };
    let count = count(xlated);
    format!("{bytes} of the packet: {count} that call a function, and end the program with 0 where there are none")
}
