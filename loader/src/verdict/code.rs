//! A program as a person looks at it: each instruction in words, with its source line.

use serde::Serialize;

use crate::btf::Btf;
use crate::insn::{Insn, disassemble};
use crate::plan::{MapCreate, MapId, Patch, PatchKind, Plan, ProgLoad, SourceLine};
use crate::uapi::Helper;

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its slot in the program as the kernel gets it.
    pub number: usize,
    /// Itself, as llvm-objdump writes it, with the names of what it calls and of maps.
    pub text: String,
}

/// A program to be explained.
pub(super) struct Code<'p> {
    plan: &'p Plan,
    pub(super) program: &'p ProgLoad,
    /// Its instructions, with every hole filled but for descriptors.
    pub(super) insns: Vec<Insn>,
    btf: Option<Btf<'p>>,
}

impl<'p> Code<'p> {
    pub(super) fn new(plan: &'p Plan, program: &'p ProgLoad) -> Self {
        // What the kernel gets was read before; where it still cannot be read there are no source lines.
        let btf = plan.btf().and_then(|load| Btf::parse(&load.btf).ok());
        Self { plan, program, insns: program.resolve(|_| 0), btf }
    }

    pub(super) fn insn(&self, number: usize) -> Option<Insn> {
        self.insns.get(number).copied()
    }

    pub(super) fn patch(&self, number: usize) -> Option<&'p Patch> {
        self.program.patches.iter().find(|patch| patch.insn == number)
    }

    pub(super) fn map(&self, id: MapId) -> Option<&'p MapCreate> {
        self.plan.map(id)
    }

    /// The instruction at a slot, with names.
    pub(super) fn place(&self, number: usize) -> Option<Place> {
        let slots = self.insns.get(number..)?;
        let slots = slots.get(..slots.len().min(2))?;
        let plain = disassemble(slots).into_iter().next()?.1;
        let named = self.patch(number).and_then(|patch| self.named(patch, *slots.first()?));
        let text = named.or_else(|| helper_call(*slots.first()?)).unwrap_or(plain);
        Some(Place { number, text })
    }

    /// What stands in a hole.
    fn named(&self, patch: &Patch, insn: Insn) -> Option<String> {
        let map = |id| self.map(id).map_or("", |map| map.name.as_str());
        let dst = insn.dst();
        match patch.kind {
            PatchKind::MapFd { map: id } => Some(format!("r{dst} = map {}", map(id))),
            PatchKind::MapValue { map: id, offset } => Some(format!("r{dst} = map {}[0] + {offset}", map(id))),
            PatchKind::Func { .. } => Some(format!("r{dst} = function {}", patch.symbol)),
            PatchKind::Call { .. } => Some(format!("call {}", patch.symbol)),
            PatchKind::Extern(_) if insn.code == Insn::CALL => Some(format!("call {}", patch.symbol)),
            _ => None,
        }
    }

    /// The source line of a slot; what the compiler put in by itself has none, and is recorded as line 0.
    pub(super) fn source(&self, number: usize) -> Option<SourceLine> {
        self.program.source(self.btf.as_ref(), number).filter(|source| source.line > 0)
    }

    /// The source line of a slot, or that of the nearest slot before it in its function.
    pub(super) fn nearest_source(&self, number: usize) -> Option<SourceLine> {
        // A log can name any number.
        self.insn(number)?;
        let starts = self.program.pieces.iter().map(|piece| piece.at);
        let start = starts.take_while(|start| *start <= number).last().unwrap_or(0);
        (start..=number).rev().find_map(|slot| self.source(slot))
    }

    /// The last slot of the first function that does not end with an exit or a jump.
    pub(super) fn runs_on(&self) -> Option<usize> {
        let starts = self.program.pieces.iter().map(|piece| piece.at).skip(1);
        let lasts = starts.chain([self.insns.len()]).filter_map(|end| end.checked_sub(1));
        // The jumps that always jump: BPF_JA in both widths.
        let ends = |insn: Insn| matches!(insn.code, Insn::EXIT | 0x05 | 0x06);
        lasts.into_iter().find(|last| self.insn(*last).is_some_and(|insn| !ends(insn)))
    }

    /// The first call of a function whose address is in a register.
    pub(super) fn indirect_call(&self) -> Option<usize> {
        self.insns.iter().position(|insn| insn.code == INDIRECT_CALL)
    }

    /// The slots that call this helper.
    pub(super) fn calls_of(&self, helper: Helper) -> impl Iterator<Item = usize> {
        let is_call =
            move |insn: &Insn| insn.code == Insn::CALL && insn.src() == 0 && insn.imm.cast_unsigned() == helper.number;
        self.insns.iter().enumerate().filter(move |(_, insn)| is_call(insn)).map(|(number, _)| number)
    }
}

/// `callx`: `BPF_JMP` | `BPF_CALL` | `BPF_X`, which compilers write and no kernel takes.
const INDIRECT_CALL: u8 = 0x8d;

/// The helper that an instruction calls.
pub(super) fn helper_of(insn: Insn) -> Option<Helper> {
    (insn.code == Insn::CALL && insn.src() == 0).then(|| Helper::of(insn.imm.into())).flatten()
}

fn helper_call(insn: Insn) -> Option<String> {
    helper_of(insn).map(|helper| format!("call {}", helper.name()))
}
