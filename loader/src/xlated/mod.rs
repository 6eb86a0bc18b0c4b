//! A loaded program as the kernel stores it, and what the verifier did to what it was given.
//!
//! A program does not run as it was loaded. Once the verifier has accepted it, it rewrites it: a field of the context becomes the real
//! field of the kernel's struct, a helper's number its address, a map's descriptor the map's address; lookups are inlined, what no
//! path reaches is cut out, divisions get a guard. What comes of it is called *xlated*; the JIT makes machine code of that.
//!
//! ```text
//! given    61 12 00 00   r2 = *(u32 *)(r1 +0)      skb->len, of a view whose offsets never change
//! xlated   61 12 70 00   r2 = *(u32 *)(r1 +112)    len of this kernel's struct sk_buff
//! ```
//!
//! Nothing says which instruction became which: [`align`] finds it out, [`Change`] says why. All of this is pure; the bytes come
//! from [`crate::kernel::Program::xlated`].
//!
//! Kernel: `bpf_check()` and the passes that it calls after `do_check_main()`, `kernel/bpf/verifier.c`; what is shown of the result:
//! `bpf_insn_prepare_dump()`, `kernel/bpf/syscall.c`.

mod align;
mod alignment;
mod clauses;
mod code;
mod flow;
mod layout;
mod listing;
mod names;
mod order;
mod proto;
mod reason;
mod side;
mod symbols;

use crate::btf::ext::{FuncInfo, LineInfo};
use crate::insn::Insn;

pub use align::align;
pub use alignment::{Alignment, Pair};
pub use code::Code;
pub use layout::Layouts;
pub use listing::{Line, Records, listing, printable};
pub use names::{GivenNames, XlatedNames};
pub use proto::signature;
pub use reason::{Change, Reasons, Why};
pub use side::{Comparison, Row, hex_words};
pub use symbols::Kallsyms;

/// The instructions of a loaded program as the verifier rewrote them, and the records that go with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Xlated {
    /// The instructions; empty where the kernel hides them.
    pub insns: Vec<Insn>,
    /// The numbers of its maps.
    pub map_ids: Vec<u32>,
    /// Where functions begin; slots.
    pub func_info: Vec<FuncInfo>,
    /// Where lines begin; slots.
    pub line_info: Vec<LineInfo>,
    /// The address of each function's machine code; empty where the kernel hides addresses, and of interpreted programs.
    pub ksyms: Vec<u64>,
    /// How many functions have machine code.
    pub functions: usize,
}

/// Reads `struct bpf_func_info` records of `size` bytes each, of which the first eight are known.
pub fn func_records(bytes: &[u8], size: usize) -> Vec<FuncInfo> {
    let record = |words: [u32; 2]| FuncInfo { insn_off: words[0], type_id: words[1] };
    records(bytes, size).map(record).collect()
}

/// Reads `struct bpf_line_info` records of `size` bytes each, of which the first sixteen are known.
pub fn line_records(bytes: &[u8], size: usize) -> Vec<LineInfo> {
    let record = |words: [u32; 4]| LineInfo {
        insn_off: words[0],
        file_name_off: words[1],
        line_off: words[2],
        line_col: words[3],
    };
    records(bytes, size).map(record).collect()
}

/// The first words of each record; records too short to have them, and what is left over at the end, are not read.
fn records<const WORDS: usize>(bytes: &[u8], size: usize) -> impl Iterator<Item = [u32; WORDS]> {
    let size = if size < WORDS * 4 { usize::MAX } else { size };
    bytes.chunks_exact(size).map(|record| {
        let words = record.as_chunks::<4>().0;
        std::array::from_fn(|n| words.get(n).map_or(0, |word| u32::from_le_bytes(*word)))
    })
}

#[cfg(test)]
mod tests;
