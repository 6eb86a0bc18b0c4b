//! Constants that are returned: a small one is rarely meant as a length, nor a negative one as all that there is.

use std::collections::BTreeSet;

use super::rules::{NEGATIVE_RETURN, Rule, SHORT_RETURN, TCP_TRIM};
use super::walk::{Value, successors, walk};
use super::{Lint, Place};
use crate::insn::Insn;

/// A TCP header without options. Who keeps no more has no byte of any payload.
const SHORTEST_TCP_HEADER: i32 = 20;
/// A packet has no more bytes, unless somebody has raised what the card may put together (BIG TCP, `gro_max_size`).
const LONGEST_PACKET: i32 = 65_535;

pub(super) fn lints(at: &Place<'_>, insns: &[Insn], byte0: Option<&str>) -> Vec<Lint> {
    let mut seen = BTreeSet::new();
    let mut lints = Vec::new();
    walk(insns, |slot, insn, _, after| {
        let is_exit = |next: usize| insns.get(next).is_some_and(|insn| insn.code == Insn::EXIT);
        let Value::Number { value, set_at } = after.of(0) else { return };
        // The kernel takes the low 32 bits, without a sign.
        let value = value as i32;
        let Some((rule, what)) = fault(value, byte0) else { return };
        if successors(slot, insn).any(is_exit) && seen.insert(set_at) {
            lints.push(at.lint(rule, Some(set_at), format!("returns {value}: {what}"), None));
        }
    });
    lints
}

/// What is wrong with a constant, and what it does.
fn fault(value: i32, byte0: Option<&str>) -> Option<(&'static Rule, String)> {
    match value {
        ..0 => Some((NEGATIVE_RETURN, "keeps the whole packet".to_owned())),
        0 => None,
        1 => Some((SHORT_RETURN, "keeps 1 byte of the packet".to_owned())),
        2..=SHORTEST_TCP_HEADER => Some((SHORT_RETURN, format!("keeps {value} bytes of the packet"))),
        _ if value <= LONGEST_PACKET && byte0 == Some("TCP header") => {
            Some((TCP_TRIM, format!("keeps {value} bytes of a segment")))
        }
        _ => None,
    }
}
