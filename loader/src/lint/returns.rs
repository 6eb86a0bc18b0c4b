//! Constants that are returned: a small one is rarely meant as a length.

use std::collections::BTreeSet;

use super::rules::SHORT_RETURN;
use super::walk::{Value, successors, walk};
use super::{Lint, Place};
use crate::insn::Insn;

/// A TCP header has at least so many bytes.
const SHORTEST_TCP_HEADER: i64 = 20;

pub(super) fn lints(at: &Place<'_>, insns: &[Insn]) -> Vec<Lint> {
    let mut seen = BTreeSet::new();
    let mut lints = Vec::new();
    walk(insns, |slot, insn, _, after| {
        let is_exit = |next: usize| insns.get(next).is_some_and(|insn| insn.code == Insn::EXIT);
        let Value::Number { value, set_at } = after.of(0) else { return };
        let is_short = (1..SHORTEST_TCP_HEADER).contains(&value);
        if is_short && successors(slot, insn).any(is_exit) && seen.insert(set_at) {
            let bytes = if value == 1 { "1 byte".to_owned() } else { format!("{value} bytes") };
            lints.push(at.lint(
                SHORT_RETURN,
                Some(set_at),
                format!("returns {value}: keeps {bytes} of the packet"),
                None,
            ));
        }
    });
    lints
}
