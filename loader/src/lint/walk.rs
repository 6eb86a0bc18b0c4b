//! What is certain about registers: a walk over the slots, once, from the first to the last.
//!
//! The verifier follows every path; this follows none. Where a jump may lead, everything is forgotten but what holds on all paths: a
//! register among r6 to r9 that the first block sets from the context, and that nothing else in the program writes.

use std::collections::BTreeSet;

use crate::insn::Insn;

/// What is certain about a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Value {
    /// Nothing.
    #[default]
    Unknown,
    /// It points to the first byte of the context.
    Context,
    /// It is this number, which the slot `set_at` put there.
    Number { value: i64, set_at: usize },
}

/// What is certain about the registers before a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State([Value; 11]);

impl State {
    pub(super) fn of(&self, register: u8) -> Value {
        self.0.get(usize::from(register)).copied().unwrap_or_default()
    }

    fn set(&mut self, register: u8, value: Value) {
        if let Some(place) = self.0.get_mut(usize::from(register)) {
            *place = value;
        }
    }
}

/// The class of an operation, in its low three bits.
mod class {
    pub(super) const LD: u8 = 0;
    pub(super) const LDX: u8 = 1;
    pub(super) const ST: u8 = 2;
    pub(super) const STX: u8 = 3;
    pub(super) const ALU: u8 = 4;
    pub(super) const JMP: u8 = 5;
    pub(super) const JMP32: u8 = 6;
    pub(super) const ALU64: u8 = 7;
}

const MOV64_K: u8 = 0xb7;
const MOV32_K: u8 = 0xb4;
const MOV64_X: u8 = 0xbf;
const JA: u8 = 0x05;
const JA32: u8 = 0x06;
const ATOMIC: u8 = 0xc0;
/// In the immediate of an atomic operation: it reads. Since 6.15.
const LOAD_ACQUIRE: i32 = 0x100;

/// An atomic operation: whatever it does, memory comes of it or goes to it.
fn is_atomic(insn: Insn) -> bool {
    insn.code & 7 == class::STX && insn.code & 0xe0 == ATOMIC
}

/// The register that an instruction goes to memory by, and whether it writes there.
pub(super) fn memory(insn: Insn) -> Option<(u8, bool)> {
    match insn.code & 7 {
        class::LDX => Some((insn.src(), false)),
        class::STX if is_atomic(insn) && insn.imm == LOAD_ACQUIRE => Some((insn.src(), false)),
        class::ST | class::STX => Some((insn.dst(), true)),
        _ => None,
    }
}

/// The slots that may come after one; of `exit` none. A call comes back.
pub(super) fn successors(at: usize, insn: Insn) -> impl Iterator<Item = usize> {
    let is_jump = matches!(insn.code & 7, class::JMP | class::JMP32);
    let distance = match insn.code {
        Insn::CALL | Insn::EXIT => None,
        JA32 => Some(i64::from(insn.imm)),
        _ if is_jump => Some(i64::from(insn.off)),
        _ => None,
    };
    let target = distance.and_then(|distance| usize::try_from(at as i64 + 1 + distance).ok());
    let goes_on = !matches!(insn.code, Insn::EXIT | JA | JA32);
    let next = goes_on.then_some(at + if insn.is_lddw() { 2 } else { 1 });
    next.into_iter().chain(target)
}

/// Each instruction with its slot; the second slots of `lddw` are none.
pub(super) fn instructions(insns: &[Insn]) -> impl Iterator<Item = (usize, Insn)> {
    let mut is_second = false;
    insns.iter().copied().enumerate().filter(move |(_, insn)| {
        let skip = std::mem::take(&mut is_second);
        is_second = !skip && insn.is_lddw();
        !skip
    })
}

/// Calls `see` with each instruction, and what is certain before and after it.
pub(super) fn walk(insns: &[Insn], mut see: impl FnMut(usize, Insn, &State, &State)) {
    let targets = targets(insns);
    let lasting = lasting(insns, &targets);
    let mut state = if targets.contains(&0) { State::default() } else { entry() };
    let mut falls_through = true;
    for (at, insn) in instructions(insns) {
        if at > 0 && (targets.contains(&at) || !falls_through) {
            state = lasting;
        }
        let before = state;
        step(&mut state, at, insn, insns.get(at + 1));
        see(at, insn, &before, &state);
        falls_through = !matches!(insn.code, Insn::EXIT | JA | JA32);
    }
}

/// The slots that a jump leads to.
fn targets(insns: &[Insn]) -> BTreeSet<usize> {
    let jumps = |(at, insn): (usize, Insn)| successors(at, insn).filter(move |target| *target != at + 1);
    let all = instructions(insns).filter(|(_, insn)| !insn.is_lddw()).flat_map(jumps);
    // A jump to the next slot leads nowhere else than going on does.
    all.collect()
}

/// Before the first slot.
fn entry() -> State {
    let mut state = State::default();
    state.set(1, Value::Context);
    state
}

/// What holds after the first block, on all paths.
fn lasting(insns: &[Insn], targets: &BTreeSet<usize>) -> State {
    let mut lasting = State::default();
    if targets.contains(&0) {
        return lasting;
    }
    let mut state = entry();
    for (at, insn) in instructions(insns) {
        let ends = matches!(insn.code & 7, class::JMP | class::JMP32) && insn.code != Insn::CALL;
        if ends || targets.contains(&at) {
            break;
        }
        step(&mut state, at, insn, insns.get(at + 1));
    }
    for register in 6..=9 {
        let writes = instructions(insns).filter(|(_, insn)| written(*insn) == Some(register)).count();
        if writes == 1 && state.of(register) == Value::Context {
            lasting.set(register, Value::Context);
        }
    }
    lasting
}

/// The register that an instruction writes, r0 to r5 of a call apart.
fn written(insn: Insn) -> Option<u8> {
    match insn.code & 7 {
        class::ALU | class::ALU64 | class::LDX => Some(insn.dst()),
        class::LD if insn.is_lddw() => Some(insn.dst()),
        // An atomic operation may fetch the old value into its source.
        class::STX if is_atomic(insn) && insn.imm != LOAD_ACQUIRE => Some(insn.src()),
        class::STX if is_atomic(insn) => Some(insn.dst()),
        _ => None,
    }
}

/// What one instruction does to what is certain; `second` is the slot after it.
fn step(state: &mut State, at: usize, insn: Insn, second: Option<&Insn>) {
    let clobbers = insn.code == Insn::CALL || (insn.code & 7 == class::LD && !insn.is_lddw());
    if clobbers {
        (0..=5).for_each(|register| state.set(register, Value::Unknown));
    }
    if is_atomic(insn) {
        state.set(0, Value::Unknown);
    }
    let value = match insn.code {
        MOV64_K => Value::Number { value: i64::from(insn.imm), set_at: at },
        MOV32_K => Value::Number { value: i64::from(insn.imm.cast_unsigned()), set_at: at },
        // clang writes what is no 32 bits with a sign in two slots: `return -1`, where an int is not widened.
        _ if insn.is_lddw() && insn.src() == 0 => second.map_or(Value::Unknown, |second| {
            let value = i64::from(second.imm) << 32 | i64::from(insn.imm.cast_unsigned());
            Value::Number { value, set_at: at }
        }),
        // With an offset it widens a smaller number.
        MOV64_X if insn.off == 0 => state.of(insn.src()),
        _ => Value::Unknown,
    };
    if let Some(register) = written(insn) {
        state.set(register, value);
    }
}
