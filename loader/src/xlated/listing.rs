//! A program as lines: each instruction in the kernel's words, with its bytes, and where a function or a line of its source begins.

use crate::btf::Btf;
use crate::btf::ext::{FuncInfo, LineInfo};
use crate::insn::{Insn, Names, kernel_text};
use crate::plan::SourceLine;

use super::signature;

/// Where functions and lines begin, by ascending slot, and the types that hold their names and texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Records<'a, 'data> {
    /// Functions.
    pub func_info: &'a [FuncInfo],
    /// Lines.
    pub line_info: &'a [LineInfo],
    /// Without it, neither is shown.
    pub btf: Option<&'a Btf<'data>>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its slot.
    pub at: usize,
    /// How many slots it takes: two for `lddw`, else one.
    pub slots: usize,
    /// What it does, in the kernel's words.
    pub text: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The function that begins here: its signature in C.
    pub function: Option<String>,
    /// The line of source that begins here, its text as it stands in the file but for blanks before it.
    pub source: Option<SourceLine>,
}

/// Lists a program. Where several records are for one slot, the last one holds.
pub fn listing(insns: &[Insn], records: Records<'_, '_>, names: &dyn Names) -> Vec<Line> {
    let (mut funcs, mut lines) = (records.func_info.iter().peekable(), records.line_info.iter().peekable());
    let mut listed = Vec::with_capacity(insns.len());
    let mut at = 0;
    while let Some(insn) = insns.get(at) {
        let slots = if insn.is_lddw() && at + 1 < insns.len() { 2 } else { 1 };
        let reached = |insn_off: u32| insn_off as usize <= at;
        let func = std::iter::from_fn(|| funcs.next_if(|func| reached(func.insn_off))).last();
        let line = std::iter::from_fn(|| lines.next_if(|line| reached(line.insn_off))).last();
        listed.push(Line {
            at,
            slots,
            text: kernel_text(insns, at, names),
            bytes: Insn::encode_all(insns.get(at..at + slots).unwrap_or_default()),
            function: func.and_then(|func| signature(records.btf?, func.type_id)),
            source: line.and_then(|line| source(records.btf?, line)),
        });
        at += slots;
    }
    listed
}

fn source(btf: &Btf<'_>, line: &LineInfo) -> Option<SourceLine> {
    let text = btf.string(line.line_off)?;
    Some(SourceLine {
        file: btf.string(line.file_name_off).unwrap_or("").to_owned(),
        line: line.line(),
        column: line.column(),
        text: text.trim_start().to_owned(),
    })
}

/// Foreign text as one line that a terminal can show: control characters, tabs apart, are escaped.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\t' => shown.push(letter),
            _ if letter.is_control() => shown.extend(letter.escape_default()),
            _ => shown.push(letter),
        }
    }
    shown
}
