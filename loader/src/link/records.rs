//! The function and line records of one program: those of its pieces, moved to where the pieces went.
//!
//! In the object a record counts bytes from the start of an ELF section; the kernel wants slots from the start of the
//! program. The kernel refuses a program whose records leave out a function, so they are given whole or not at all.
//!
//! Kernel: `check_btf_func()` and `check_btf_line()`, `kernel/bpf/verifier.c`.

use crate::btf::ext::{FuncInfo, LineInfo};
use crate::insn::Insn;
use crate::plan::Piece;
use crate::spec::Spec;

/// Cuts out the records of `pieces`, which are in the order of their slots.
pub(super) fn slice(spec: &Spec<'_>, pieces: &[Piece]) -> (Vec<FuncInfo>, Vec<LineInfo>) {
    let (mut funcs, mut lines) = (Vec::new(), Vec::new());
    let (mut funcs_whole, mut lines_whole) = (true, true);
    for piece in pieces {
        let section = &piece.place.section;
        let of_piece = in_piece(spec.func_info.get(section), piece, |record| record.insn_off);
        let moved = of_piece.iter().map(|record| FuncInfo { insn_off: slot(piece, record.insn_off), ..*record });
        let before = funcs.len();
        funcs.extend(moved.filter(|record| record.insn_off as usize == piece.at));
        funcs_whole &= funcs.len() == before + 1;

        let of_piece = in_piece(spec.line_info.get(section), piece, |record| record.insn_off);
        let before = lines.len();
        lines.extend(of_piece.iter().map(|record| LineInfo { insn_off: slot(piece, record.insn_off), ..*record }));
        lines_whole &= lines.get(before).is_some_and(|record| record.insn_off as usize == piece.at);
    }
    if !funcs_whole {
        return (Vec::new(), Vec::new());
    }
    (funcs, if lines_whole { lines } else { Vec::new() })
}

/// The records of a section, sorted by offset, that fall into a piece.
fn in_piece<'r, R>(records: Option<&'r Vec<R>>, piece: &Piece, offset: impl Fn(&R) -> u32) -> &'r [R] {
    let records = records.map_or(&[][..], Vec::as_slice);
    let start = piece.place.offset;
    let first = records.partition_point(|record| u64::from(offset(record)) < start);
    let end = records.partition_point(|record| u64::from(offset(record)) < start + piece.size);
    records.get(first..end).unwrap_or_default()
}

/// Byte offset in the section → slot in the program.
fn slot(piece: &Piece, offset: u32) -> u32 {
    let bytes = u64::from(offset).saturating_sub(piece.place.offset);
    (piece.at as u64 + bytes / Insn::SIZE as u64) as u32
}
