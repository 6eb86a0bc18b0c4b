//! How much of the stack each function of a program uses: what the verifier adds up along the calls.

use std::collections::HashSet;

use super::code::Code;
use crate::insn::Insn;
use crate::plan::PatchKind;

/// Bytes that all functions under way may use together. Kernel: `MAX_BPF_STACK`, `include/linux/filter.h`.
const LIMIT: usize = 512;
const FRAME_POINTER: u8 = 10;

/// The call by which the functions under way need more than the stack has, and what each of them needs.
pub(super) fn overflow(code: &Code<'_>) -> Option<(usize, String)> {
    let functions = functions(code);
    // What a function uses is rounded up: to 16 bytes where it is compiled to machine code, to 32 before that.
    [16, 32].into_iter().find_map(|unit| overflow_of(&functions, unit))
}

fn overflow_of(functions: &[Function], unit: usize) -> Option<(usize, String)> {
    let mut walk = Walk { functions, unit, chain: Vec::new(), done: HashSet::new() };
    let call = walk.deeper(0, 0)?;
    let name = |function: &Function| format!("`{}` {}", function.name, function.bytes);
    let uses: Vec<_> = walk.chain.iter().filter_map(|number| functions.get(*number)).map(name).collect();
    Some((call, uses.join(" + ")))
}

struct Function {
    name: String,
    /// What it touches.
    bytes: usize,
    /// Slots that call, and the functions that they call.
    calls: Vec<(usize, usize)>,
}

/// The functions of a program: the first is the program itself.
fn functions(code: &Code<'_>) -> Vec<Function> {
    let pieces = &code.program.pieces;
    let starts: Vec<_> = pieces.iter().map(|piece| piece.at).collect();
    let ends = starts.iter().skip(1).copied().chain([code.insns.len()]);
    let name_of = |start: usize| {
        let called = code
            .program
            .patches
            .iter()
            .find(|patch| matches!(patch.kind, PatchKind::Call { callee } if callee == start));
        called.map_or_else(|| code.program.name.clone(), |patch| patch.symbol.clone())
    };
    let one = |(start, end): (usize, usize)| {
        let slots = code.insns.get(start..end).unwrap_or_default();
        let calls = slots.iter().zip(start..).filter_map(|(insn, at)| {
            let callee = usize::try_from(at as i64 + 1 + i64::from(insn.imm)).ok().filter(|_| insn.is_pseudo_call())?;
            Some((at, starts.iter().position(|start| *start == callee)?))
        });
        Function { name: name_of(start), bytes: bytes(slots), calls: calls.collect() }
    };
    starts.iter().copied().zip(ends).map(one).collect()
}

/// The lowest place below r10 that a function touches or points to.
fn bytes(slots: &[Insn]) -> usize {
    let touched = slots.iter().map(|insn| match insn.code & 7 {
        1 if insn.src() == FRAME_POINTER => i32::from(insn.off),
        2 | 3 if insn.dst() == FRAME_POINTER => i32::from(insn.off),
        _ => 0,
    });
    let pointed = slots.windows(2).map(|pair| match pair {
        // r2 = r10; r2 += -16
        [copy, add]
            if copy.code == 0xbf && copy.src() == FRAME_POINTER && add.code == 0x07 && add.dst() == copy.dst() =>
        {
            add.imm
        }
        _ => 0,
    });
    touched.chain(pointed).min().unwrap_or(0).min(-1).unsigned_abs() as usize
}

/// A walk along the calls.
struct Walk<'f> {
    functions: &'f [Function],
    /// Bytes that each function's use is rounded up to.
    unit: usize,
    /// The functions under way.
    chain: Vec<usize>,
    /// Functions, and the bytes in use when they were entered, from which nothing led too far: looked at once only.
    done: HashSet<(usize, usize)>,
}

impl Walk<'_> {
    /// Follows the calls until the limit is passed; `chain` then holds the functions under way.
    fn deeper(&mut self, current: usize, used: usize) -> Option<usize> {
        let function = self.functions.get(current)?;
        // Recursion, which the verifier refuses, must not become ours.
        if self.chain.contains(&current) || !self.done.insert((current, used)) {
            return None;
        }
        self.chain.push(current);
        let used = used + function.bytes.next_multiple_of(self.unit);
        for (at, callee) in &function.calls {
            let bytes = self.functions.get(*callee).map_or(0, |callee| callee.bytes.next_multiple_of(self.unit));
            if used + bytes > LIMIT {
                self.chain.push(*callee);
                return Some(*at);
            }
            if let Some(found) = self.deeper(*callee, used) {
                return Some(found);
            }
        }
        self.chain.pop();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, bytes: usize, calls: &[(usize, usize)]) -> Function {
        Function { name: name.to_owned(), bytes, calls: calls.to_vec() }
    }

    #[test]
    fn the_call_that_leads_too_far_is_found_with_what_leads_there() {
        let functions = [
            function("filter", 200, &[(3, 1), (5, 2)]),
            function("small", 100, &[]),
            function("large", 200, &[(20, 1)]),
        ];
        assert_eq!(overflow_of(&functions, 16), Some((20, "`filter` 200 + `large` 200 + `small` 100".to_owned())));
        assert_eq!(overflow_of(&functions[..2], 16), None);
    }

    #[test]
    fn functions_that_call_each_other_in_every_way_take_no_time() {
        let calls: Vec<_> = (0..200).flat_map(|at| (0..40).map(move |callee| (at, callee))).collect();
        let functions: Vec<_> = (0..40).map(|_| function("f", 0, &calls)).collect();
        assert_eq!(overflow_of(&functions, 16), None);
    }
}
