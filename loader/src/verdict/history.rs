//! Where a register's value came from: the instructions on the path that made it, back to a call, a load or a constant.
//!
//! The path is followed forwards. For each register of each function that is being called, and for each stack slot that was
//! written whole, it is known which instruction wrote last and what that one was made from.

use std::collections::{BTreeSet, HashMap};

use crate::insn::Insn;

/// More than a person follows; the last ones count.
const LONGEST: usize = 6;
/// The verifier allows eight functions to be under way; a log that shows more is not believed.
const DEEPEST: usize = 16;

/// The classes of instructions that matter here: the low three bits of the code.
const LDX: u8 = 1;
const STX: u8 = 3;
/// `BPF_MOV`, in the upper four bits of the code of ALU and ALU64.
const MOV: u8 = 0xb0;
const FRAME_POINTER: u8 = 10;

/// An instruction on the path that wrote a register or a stack slot.
#[derive(Debug, Clone, Copy)]
struct Write {
    /// Which step of the path.
    step: usize,
    /// What its value was made from: writes, by number.
    from: [Option<usize>; 2],
}

/// A function under way.
#[derive(Debug, Clone, Default)]
struct Frame {
    /// The last write of each register.
    registers: [Option<usize>; 11],
    /// The last write of each stack slot, by its offset from r10.
    stack: HashMap<i16, usize>,
}

/// A path that is followed.
#[derive(Debug)]
pub(super) struct History<'c> {
    insns: &'c [Insn],
    path: &'c [usize],
    writes: Vec<Write>,
    frames: Vec<Frame>,
}

impl<'c> History<'c> {
    /// Follows a path, given as slots, up to but without its last instruction.
    pub(super) fn follow(insns: &'c [Insn], path: &'c [usize]) -> Self {
        let mut history = Self { insns, path, writes: Vec::new(), frames: vec![Frame::default()] };
        for (step, number) in path.iter().enumerate().take(path.len().saturating_sub(1)) {
            if let Some(insn) = insns.get(*number) {
                history.walk(step, *insn);
            }
        }
        history
    }

    /// The steps of the path that made the value of a register, in their order; at most the last few.
    pub(super) fn of(&self, register: u8) -> Vec<usize> {
        let mut open: Vec<_> = self.writer(register).into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(number) = open.pop() {
            // The newest are looked at first, so the rest would only be dropped.
            if found.len() < 4 * LONGEST
                && found.insert(number)
                && let Some(write) = self.writes.get(number)
            {
                open.extend(write.from.into_iter().flatten());
            }
        }
        let steps: Vec<_> =
            found.iter().filter_map(|number| self.writes.get(*number)).map(|write| write.step).collect();
        steps.get(steps.len().saturating_sub(LONGEST)..).unwrap_or_default().to_vec()
    }

    /// Whether a register of the program itself holds what it held when the program began.
    pub(super) fn is_as_at_the_start(&self, register: u8) -> bool {
        self.frames.len() == 1 && self.path.first() == Some(&0) && self.writer(register).is_none()
    }

    fn writer(&self, register: u8) -> Option<usize> {
        self.frames.last()?.registers.get(usize::from(register)).copied().flatten()
    }

    fn write(&mut self, step: usize, from: [Option<usize>; 2]) -> usize {
        self.writes.push(Write { step, from });
        self.writes.len() - 1
    }

    fn set(&mut self, register: u8, write: Option<usize>) {
        let frame = self.frames.last_mut();
        if let Some(place) = frame.and_then(|frame| frame.registers.get_mut(usize::from(register))) {
            *place = write;
        }
    }

    fn walk(&mut self, step: usize, insn: Insn) {
        let (dst, src) = (insn.dst(), insn.src());
        match insn.code & 7 {
            5 if insn.is_pseudo_call() => self.enter(),
            5 if insn.code == Insn::CALL => {
                let call = self.write(step, [None, None]);
                (0..=5).for_each(|register| self.set(register, Some(call)));
            }
            5 if insn.code == Insn::EXIT => self.leave(),
            5 | 6 => {}
            STX if insn.code & 0xe0 != 0xc0 && dst == FRAME_POINTER => {
                let write = self.write(step, [self.writer(src), None]);
                if let Some(frame) = self.frames.last_mut() {
                    frame.stack.insert(insn.off, write);
                }
            }
            2 | STX => {}
            LDX => {
                let spilled = self.frames.last().filter(|_| src == FRAME_POINTER);
                let spilled = spilled.and_then(|frame| frame.stack.get(&insn.off).copied());
                let write = self.write(step, [spilled, None]);
                self.set(dst, Some(write));
            }
            0 => {
                // lddw writes its register; the loads of packet bytes write r0.
                let write = self.write(step, [None, None]);
                self.set(if insn.is_lddw() { dst } else { 0 }, Some(write));
            }
            _ => {
                let other = (insn.code & 0x08 != 0).then(|| self.writer(src)).flatten();
                let itself = (insn.code & 0xf0 != MOV).then(|| self.writer(dst)).flatten();
                let write = self.write(step, [itself, other]);
                self.set(dst, Some(write));
            }
        }
    }

    /// A function of the object is called: it sees the arguments and nothing else.
    fn enter(&mut self) {
        let mut callee = Frame::default();
        if let Some(caller) = self.frames.last() {
            for (argument, write) in callee.registers.iter_mut().zip(caller.registers).take(6).skip(1) {
                *argument = write;
            }
        }
        if self.frames.len() < DEEPEST {
            self.frames.push(callee);
        }
    }

    /// A function returns: its r0 is the caller's.
    fn leave(&mut self) {
        let result = self.writer(0);
        if self.frames.len() > 1 {
            self.frames.pop();
        }
        (1..=5).for_each(|register| self.set(register, None));
        self.set(0, result);
    }

    /// The slot of a step of the path.
    pub(super) fn slot(&self, step: usize) -> Option<usize> {
        self.path.get(step).copied()
    }

    /// The registers that the last instruction of the path may be refused for. Of a store that is the address: a message about
    /// what is stored names its register.
    pub(super) fn read_last(&self) -> Vec<u8> {
        let Some(insn) = self.path.last().and_then(|number| self.insns.get(*number)) else { return Vec::new() };
        let (dst, src, takes_register) = (insn.dst(), insn.src(), insn.code & 0x08 != 0);
        match insn.code & 7 {
            LDX => vec![src],
            2 | STX => vec![dst],
            0 => Vec::new(),
            5 if insn.code == Insn::EXIT => vec![0],
            5 if insn.code == Insn::CALL => Vec::new(),
            _ if takes_register => vec![dst, src],
            _ => vec![dst],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insn(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Insn {
        Insn { code, regs: src << 4 | dst, off, imm }
    }

    #[test]
    fn a_value_is_followed_through_moves_spills_and_sums_back_to_a_call() {
        let insns = [
            insn(Insn::CALL, 0, 0, 0, 7), // 0: r0 = helper()
            insn(0x7b, 10, 0, -8, 0),     // 1: spilled
            insn(0xb7, 3, 0, 0, 5),       // 2: r3 = 5
            insn(0xb7, 0, 0, 0, 0),       // 3: r0 = 0, another value
            insn(0x79, 2, 10, -8, 0),     // 4: filled
            insn(0x0f, 2, 3, 0, 0),       // 5: r2 += r3
            insn(0x61, 1, 2, 0, 0),       // 6: looks at it
        ];
        let path: Vec<_> = (0..insns.len()).collect();
        let history = History::follow(&insns, &path);
        assert_eq!(history.read_last(), [2]);
        assert_eq!(history.of(2), [0, 1, 2, 4, 5]);
        assert_eq!(history.of(0), [3]);
        assert_eq!(history.of(9), [] as [usize; 0]);
    }

    #[test]
    fn arguments_go_into_a_function_and_a_result_comes_out() {
        let insns = [
            insn(0xb7, 1, 0, 0, 5),                           // 0: r1 = 5
            insn(0xb7, 6, 0, 0, 9),                           // 1: r6 = 9
            insn(Insn::CALL, 0, Insn::BPF_PSEUDO_CALL, 0, 1), // 2: call 4
            insn(0x61, 1, 0, 0, 0),                           // 3: looks at r0
            insn(0xbf, 0, 1, 0, 0),                           // 4: r0 = r1
            insn(Insn::EXIT, 0, 0, 0, 0),                     // 5
        ];
        let path = [0, 1, 2, 4, 5, 3];
        let history = History::follow(&insns, &path);
        let slots =
            |register| history.of(register).into_iter().filter_map(|step| history.slot(step)).collect::<Vec<_>>();
        assert_eq!((slots(0), slots(6), slots(1)), (vec![0, 4], vec![1], vec![]));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_no_trouble() {
        let insns = [insn(Insn::EXIT, 0, 0, 0, 0), insn(Insn::CALL, 0, 1, 0, 0), insn(0xbf, 15, 14, 0, 0)];
        let path = [0, 0, 99, 2, 1, 1, 1, usize::MAX, 2, 2];
        let history = History::follow(&insns, &path);
        assert_eq!(history.of(15), [] as [usize; 0]);
        assert!(History::follow(&[], &[]).read_last().is_empty());
    }
}
