//! Instructions that the kernel refuses before it walks the first: it does not say where they are.
//!
//! Kernel: `resolve_pseudo_ldimm64()` and `check_btf_line()`, `kernel/bpf/verifier.c`.

use super::code::Code;
use super::pattern::Captures;
use crate::insn::Insn;

/// The first of the numbers that src of `lddw` does not have: `BPF_PSEUDO_MAP_IDX_VALUE` is 6.
const NO_SOURCE: u8 = 7;
/// `BPF_PSEUDO_MAP_IDX`: a map by its place in an array of descriptors.
const MAP_INDEX: u8 = 5;

impl Code<'_> {
    /// The slots of instructions, without the second ones of `lddw`.
    fn instructions(&self) -> impl Iterator<Item = (usize, Insn)> {
        let mut is_second = false;
        self.insns.iter().copied().enumerate().filter(move |(_, insn)| {
            let skip = std::mem::take(&mut is_second);
            is_second = !skip && insn.is_lddw();
            !skip
        })
    }

    /// The slots of `lddw`, with the second slot where there is one.
    fn lddws(&self) -> impl Iterator<Item = (usize, Insn, Option<Insn>)> {
        let lddws = self.instructions().filter(|(_, insn)| insn.is_lddw());
        lddws.map(|(slot, insn)| (slot, insn, self.insn(slot + 1)))
    }

    /// The instruction whose code a message names, or that a line record is about though there is none.
    pub(super) fn no_instruction(&self, captures: &Captures) -> Option<usize> {
        if let Some(record) = captures.number("record").and_then(|record| usize::try_from(record).ok()) {
            return self.program.line_info.get(record).map(|record| record.insn_off as usize);
        }
        let code = u8::from_str_radix(captures.get("code")?, 16).ok()?;
        self.instructions().find(|(_, insn)| insn.code == code).map(|(slot, _)| slot)
    }

    /// The first `lddw` whose second slot is something else.
    pub(super) fn lddw_without_second(&self) -> Option<usize> {
        let is_second = |slot: Insn| (slot.code, slot.regs, slot.off) == (0, 0, 0);
        self.lddws().find(|(_, _, second)| !second.is_some_and(is_second)).map(|(slot, ..)| slot)
    }

    /// The first `lddw` whose src and number do not go together.
    pub(super) fn lddw_of_no_meaning(&self) -> Option<usize> {
        let is_wide = |second: Option<Insn>| second.is_some_and(|second| second.imm != 0);
        let has_none = |(_, insn, second): &(usize, Insn, Option<Insn>)| match insn.src() {
            Insn::BPF_PSEUDO_MAP_FD | MAP_INDEX => is_wide(*second),
            src => src >= NO_SOURCE,
        };
        self.lddws().find(has_none).map(|(slot, ..)| slot)
    }

    /// The first `lddw` that the object itself, not this loader, gave this descriptor.
    pub(super) fn lddw_of_map(&self, fd: i64) -> Option<usize> {
        let is_map = |insn: Insn| matches!(insn.src(), Insn::BPF_PSEUDO_MAP_FD | Insn::BPF_PSEUDO_MAP_VALUE);
        let is_it = |(slot, insn, _): &(usize, Insn, Option<Insn>)| {
            is_map(*insn) && i64::from(insn.imm) == fd && self.patch(*slot).is_none()
        };
        self.lddws().find(is_it).map(|(slot, ..)| slot)
    }
}
