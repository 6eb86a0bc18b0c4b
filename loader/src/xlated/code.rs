//! A program to be aligned: its slots, and the source line that begins at each.

use crate::btf::ext::LineInfo;
use crate::insn::Insn;

/// The slots of a program, and where its lines begin.
#[derive(Debug, Clone)]
pub struct Code<'a> {
    pub(super) insns: &'a [Insn],
    /// Line and column that begin at a slot; 0 for none. Empty without records.
    lines: Vec<u32>,
}

impl<'a> Code<'a> {
    /// Records outside the program are not used.
    pub fn new(insns: &'a [Insn], line_info: &[LineInfo]) -> Self {
        let mut lines = vec![0; if line_info.is_empty() { 0 } else { insns.len() }];
        for record in line_info {
            if let Some(line) = lines.get_mut(record.insn_off as usize) {
                *line = record.line_col;
            }
        }
        Self { insns, lines }
    }

    pub(super) fn len(&self) -> usize {
        self.insns.len()
    }

    pub(super) fn at(&self, slot: usize) -> Option<Insn> {
        self.insns.get(slot).copied()
    }

    /// The line that begins at a slot; 0 for none.
    pub(super) fn line(&self, slot: usize) -> u32 {
        self.lines.get(slot).copied().unwrap_or(0)
    }

    pub(super) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The slot after an instruction.
    pub(super) fn after(&self, slot: usize) -> usize {
        let is_lddw = self.at(slot).is_some_and(Insn::is_lddw);
        (slot + if is_lddw { 2 } else { 1 }).min(self.len())
    }

    /// The first slots of the instructions of a stretch.
    pub(super) fn starts(&self, stretch: std::ops::Range<usize>) -> impl Iterator<Item = usize> {
        let mut at = stretch.start;
        std::iter::from_fn(move || {
            let this = (at < stretch.end).then_some(at)?;
            at = self.after(at).max(at + 1);
            Some(this)
        })
    }
}
