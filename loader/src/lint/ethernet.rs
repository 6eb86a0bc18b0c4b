//! Packets read as if they began with an Ethernet header, where they do not.

use std::collections::HashMap;

use super::rules::ETHERNET_OFFSET;
use super::walk::{Value, walk};
use super::{Lint, Place};
use crate::insn::Insn;

/// `r0 = ntohs(*(u16 *)skb[imm])` and `r0 = *(u8 *)skb[imm]`: `LD_ABS` of two bytes, and of one.
const LOAD_HALF: u8 = 0x28;
const LOAD_BYTE: u8 = 0x30;
/// `bpf_skb_load_bytes`.
const SKB_LOAD_BYTES: i32 = 26;

/// IPv4, ARP and IPv6 as `LD_ABS` gives them, and as they lie in memory.
const HOST_ORDER: &[i32] = &[0x0800, 0x0806, 0x86dd];
const NETWORK_ORDER: &[i32] = &[0x0008, 0x0608, 0xdd86];
/// ICMP, TCP and UDP. In a whole header 1 may be compared with something else.
const PROTOCOLS: &[i32] = &[1, 6, 17];
const SURE_PROTOCOLS: &[i32] = &[6, 17];

const ETHER_TYPE: &str = "bytes 12 and 13 for an EtherType";
const PROTOCOL: &str = "byte 23 for the protocol of an IPv4 header behind an Ethernet header";
const IP_HEADER: &str = "the bytes from 14 on for an IP header behind an Ethernet header";

/// What is read, where it lies behind an Ethernet header only: what it is taken for, and what it is then compared with.
struct Reading {
    takes: &'static str,
    constants: &'static [i32],
}

/// Something is read that lies there behind an Ethernet header, and something is compared after that with what it would be: either
/// alone may be meant.
pub(super) fn lints(at: &Place<'_>, insns: &[Insn], byte0: &str) -> Vec<Lint> {
    let mut lints = Vec::new();
    let comparisons = Comparisons::of(insns);
    walk(insns, |slot, insn, before, _| {
        let number = |register| match before.of(register) {
            Value::Number { value, .. } => Some(value),
            _ => None,
        };
        let reading = match insn.code {
            LOAD_HALF | LOAD_BYTE => absolute(insn),
            Insn::CALL if insn.src() == 0 && insn.imm == SKB_LOAD_BYTES => {
                number(2).zip(number(4)).and_then(|(offset, length)| copied(offset, length))
            }
            _ => None,
        };
        let Some(Reading { takes, constants }) = reading else { return };
        if lints.is_empty() && comparisons.are_after(slot, constants) {
            let what = format!("takes {takes}, but byte 0 is the {byte0}");
            lints.push(at.lint(ETHERNET_OFFSET, Some(slot), what, None));
        }
    });
    lints
}

/// `LD_ABS`.
fn absolute(insn: Insn) -> Option<Reading> {
    match (insn.code, insn.imm) {
        (LOAD_HALF, 12) => Some(Reading { takes: ETHER_TYPE, constants: HOST_ORDER }),
        (LOAD_BYTE, 23) => Some(Reading { takes: PROTOCOL, constants: PROTOCOLS }),
        _ => None,
    }
}

/// `bpf_skb_load_bytes` of the type, the whole Ethernet header, the protocol, and the headers of IPv4 and IPv6.
fn copied(offset: i64, length: i64) -> Option<Reading> {
    match (offset, length) {
        (12, 2) | (0, 14) => Some(Reading { takes: ETHER_TYPE, constants: NETWORK_ORDER }),
        (23, 1) => Some(Reading { takes: PROTOCOL, constants: PROTOCOLS }),
        (14, 20 | 40) => Some(Reading { takes: IP_HEADER, constants: SURE_PROTOCOLS }),
        _ => None,
    }
}

/// Where each constant is compared with last: a hostile program may read a million times.
struct Comparisons(HashMap<i32, usize>);

impl Comparisons {
    fn of(insns: &[Insn]) -> Self {
        let compared = insns.iter().enumerate().filter(|(_, insn)| is_compared(**insn));
        Self(compared.map(|(slot, insn)| (insn.imm, slot)).collect())
    }

    fn are_after(&self, slot: usize, constants: &[i32]) -> bool {
        constants.iter().any(|constant| self.0.get(constant).is_some_and(|last| *last >= slot))
    }
}

/// Whether it is a jump if equal, or if not, to a constant, of 64 or 32 bits.
fn is_compared(insn: Insn) -> bool {
    matches!(insn.code, 0x15 | 0x55 | 0x16 | 0x56)
}
