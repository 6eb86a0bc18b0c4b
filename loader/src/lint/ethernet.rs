//! Packets read as if they began with an Ethernet header, where they do not.

use super::rules::ETHERNET_OFFSET;
use super::walk::{Value, walk};
use super::{Lint, Place};
use crate::insn::Insn;

/// `r0 = ntohs(*(u16 *)skb[imm])`: `LD_ABS` of two bytes.
const LOAD_HALF: u8 = 0x28;
/// Where the type of an Ethernet header lies.
const TYPE_AT: i64 = 12;
/// Bytes of the type, and of the whole header.
const TYPE_LEN: i64 = 2;
const HEADER_LEN: i64 = 14;
/// `bpf_skb_load_bytes`.
const SKB_LOAD_BYTES: i32 = 26;

/// IPv4, ARP and IPv6 as `LD_ABS` gives them, and as they lie in memory.
const HOST_ORDER: [i32; 3] = [0x0800, 0x0806, 0x86dd];
const NETWORK_ORDER: [i32; 3] = [0x0008, 0x0608, 0xdd86];

/// Bytes 12 and 13 are read, and something is compared with an EtherType after that: either alone may be meant.
pub(super) fn lints(at: &Place<'_>, insns: &[Insn], byte0: &str) -> Vec<Lint> {
    let mut lints = Vec::new();
    walk(insns, |slot, insn, before, _| {
        let number = |register| match before.of(register) {
            Value::Number { value, .. } => Some(value),
            _ => None,
        };
        let types = match insn.code {
            LOAD_HALF if i64::from(insn.imm) == TYPE_AT => HOST_ORDER,
            Insn::CALL if insn.src() == 0 && insn.imm == SKB_LOAD_BYTES => match (number(2), number(4)) {
                (Some(TYPE_AT), Some(TYPE_LEN)) | (Some(0), Some(HEADER_LEN)) => NETWORK_ORDER,
                _ => return,
            },
            _ => return,
        };
        if lints.is_empty() && insns.iter().skip(slot).any(|insn| is_compared(*insn) && types.contains(&insn.imm)) {
            let what = format!("takes bytes 12 and 13 for an EtherType, but byte 0 is the {byte0}");
            lints.push(at.lint(ETHERNET_OFFSET, Some(slot), what, None));
        }
    });
    lints
}

/// Whether it is a jump if equal, or if not, to a constant, of 64 or 32 bits.
fn is_compared(insn: Insn) -> bool {
    matches!(insn.code, 0x15 | 0x55 | 0x16 | 0x56)
}
