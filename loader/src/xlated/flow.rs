//! Where an instruction leads, and what may become of it.

use crate::insn::Insn;

use super::code::Code;

const JA: u8 = 0x05;
const JA32: u8 = 0x06;
/// `BPF_JCOND`: `may_goto`.
const JCOND: u8 = 0xe5;
/// The verifier's own instruction: no speculation past this point.
const NOSPEC: u8 = 0xc2;
/// `BPF_REG_AX`: a register that no program can name, so the kernel uses it in what it makes.
const HIDDEN_REGISTER: u8 = 11;

/// An unconditional jump.
pub(super) fn is_goto(insn: Insn) -> bool {
    matches!(insn.code, JA | JA32)
}

/// A jump that may be taken or not.
pub(super) fn is_branch(insn: Insn) -> bool {
    matches!(insn.code & 7, 5 | 6) && !is_goto(insn) && !matches!(insn.code, Insn::CALL | Insn::EXIT)
}

/// Whether the next slot may come after it.
pub(super) fn goes_on(insn: Insn) -> bool {
    insn.code != Insn::EXIT && !is_goto(insn)
}

/// Where a jump leads.
pub(super) fn target(at: usize, insn: Insn) -> Option<usize> {
    if !is_goto(insn) && !is_branch(insn) {
        return None;
    }
    let distance = if insn.code == JA32 { i64::from(insn.imm) } else { i64::from(insn.off) };
    usize::try_from(at as i64 + 1 + distance).ok()
}

/// The function of the program itself that an instruction calls or takes the address of: its distance is in the immediate.
pub(super) fn callee(at: usize, insn: Insn) -> Option<usize> {
    let takes_address = insn.is_lddw() && insn.src() == Insn::BPF_PSEUDO_FUNC;
    if !insn.is_pseudo_call() && !takes_address {
        return None;
    }
    usize::try_from(at as i64 + 1 + i64::from(insn.imm)).ok()
}

/// The same of an xlated instruction. A call then has its distance in the offset, of which 16 bits are left: `given`, the distance before, tells
/// the rest.
pub(super) fn xlated_callee(at: usize, insn: Insn, given: i64) -> Option<usize> {
    if !insn.is_pseudo_call() {
        return callee(at, insn);
    }
    let off = i64::from(insn.off);
    let turns = (given - off + (1 << 15)).div_euclid(1 << 16);
    usize::try_from(at as i64 + 1 + off + (turns << 16)).ok()
}

pub(super) fn is_nospec(insn: Insn) -> bool {
    insn.code == NOSPEC
}

/// Whether it uses the register that only the kernel can name.
pub(super) fn is_kernels_own(insn: Insn) -> bool {
    insn.dst() == HIDDEN_REGISTER || insn.src() == HIDDEN_REGISTER
}

/// `w1 = w1`, with the mark of the verifier's own: clears the upper half.
pub(super) fn is_zero_extension(insn: Insn) -> bool {
    insn.code == 0xbc && insn.imm == 1 && insn.dst() == insn.src()
}

/// Division or modulo by a register.
pub(super) fn is_division(insn: Insn) -> bool {
    matches!(insn.code, 0x3c | 0x3f | 0x9c | 0x9f)
}

/// Packet bytes, by `BPF_LD`.
pub(super) fn is_packet_load(insn: Insn) -> bool {
    insn.code & 7 == 0 && matches!(insn.code & 0xe0, 0x20 | 0x40)
}

/// A memory access that may go to the context, or to another view of something of the kernel's. The stack is none.
pub(super) fn is_access(insn: Insn) -> bool {
    const STACK: u8 = 10;
    match insn.code & 7 {
        1 => insn.src() != STACK,
        2 | 3 => insn.code & 0xe0 == 0x60 && insn.dst() != STACK,
        _ => false,
    }
}

/// Whether the two are one instruction, but for what the kernel fills in: distances of jumps, addresses and numbers.
pub(super) fn alike(given: &Code<'_>, g: usize, xlated: &Code<'_>, x: usize) -> bool {
    let (Some(one), Some(two)) = (given.at(g), xlated.at(x)) else { return false };
    if one.is_lddw() {
        let constant = one.src() == 0;
        let same = constant && two.src() == 0 && one.imm == two.imm && given.at(g + 1) == xlated.at(x + 1);
        return two.is_lddw() && one.dst() == two.dst() && (same || !constant);
    }
    if one.code == Insn::CALL {
        let is_own = one.src() == Insn::BPF_PSEUDO_CALL;
        return two.code == Insn::CALL && is_own == two.is_pseudo_call();
    }
    match (is_goto(one), is_branch(one)) {
        (true, _) => is_goto(two),
        (_, true) if one.code == JCOND => false,
        (_, true) => one.code == two.code && one.regs == two.regs && one.imm == two.imm,
        _ => one == two,
    }
}

/// Whether the first instruction of what became of `given` may be `xlated`. Of most nothing else becomes than they are.
pub(super) fn may_become(given: Insn, xlated: Insn) -> bool {
    if is_nospec(xlated) || is_kernels_own(xlated) {
        return true;
    }
    match given.code & 7 {
        _ if given.code == Insn::CALL => !given.is_pseudo_call(),
        _ if is_packet_load(given) => matches!(xlated.code, 0xb7 | 0xbf) && xlated.dst() == 2,
        _ if is_division(given) => matches!(xlated.code & 7, 5 | 6) && xlated.dst() == given.src(),
        1 => is_access(given) && xlated.code & 7 == 1 && xlated.src() == given.src(),
        2 | 3 => is_access(given) && matches!(xlated.code & 7, 2 | 3) && xlated.dst() == given.dst(),
        _ => false,
    }
}
