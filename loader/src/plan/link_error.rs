//! Why a program could not be planned.

use thiserror::Error;

use super::{Fate, Plan, ProgramPlan};
use crate::spec::SpecError;

impl Plan {
    /// The programs that cannot be linked, each with the reason.
    pub fn unlinkable(&self) -> impl Iterator<Item = (&ProgramPlan, &LinkError)> {
        self.programs.iter().filter_map(|program| match &program.fate {
            Fate::Unlinkable(error) => Some((program, error)),
            _ => None,
        })
    }
}

/// A program cannot be linked.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[error("program `{program}`, section `{section}`, insn {insn}: {kind}")]
pub struct LinkError {
    /// The program.
    pub program: String,
    /// The section that the instruction is in: not the program's own if it is in a function that it calls.
    pub section: String,
    /// The slot, counted from the start of that section, as llvm-objdump counts.
    pub insn: u64,
    /// What is wrong.
    pub kind: LinkErrorKind,
}

/// What is wrong with a relocation. How to mend it: [`LinkErrorKind::lesson`].
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum LinkErrorKind {
    /// The record points into the middle of a slot.
    #[error("a relocation at byte {offset} of the section, expected the start of a slot of 8 bytes")]
    Unaligned {
        /// Where it points.
        offset: u64,
    },
    /// The object is for machines of the other byte order.
    #[error("the object is big-endian (bpfeb), and this machine little-endian")]
    ByteOrder,
    /// Two records for one instruction.
    #[error("two relocations for one instruction, the second for `{symbol}`")]
    Twice {
        /// The second record's symbol.
        symbol: String,
    },
    /// Only `lddw` and `call` have something to patch.
    #[error("a relocation of type {r_type} for `{symbol}` at opcode {code:#04x}; expected lddw (0x18) or call (0x85)")]
    NotPatchable {
        /// The record's type.
        r_type: u32,
        /// The symbol.
        symbol: String,
        /// The opcode found.
        code: u8,
    },
    /// The second slot of `lddw` is missing.
    #[error("lddw (0x18) takes two slots, but the function ends after the first")]
    CutShort,
    /// The symbol is declared but neither defined nor listed as an extern.
    #[error(
        "`{0}` is not defined in this object, nor declared __kconfig or __ksym: a function that was never linked in, or an extern without BTF"
    )]
    Undefined(String),
    /// The symbol is declared for the kernel to provide, and this kernel cannot.
    #[error("extern `{name}`: {problem}")]
    Extern {
        /// The symbol.
        name: String,
        /// Why not.
        problem: String,
    },
    /// The kernel has the symbol, and shows its address only to who may see it (`CAP_SYSLOG`): `/proc/kallsyms` says 0.
    #[error("extern `{0}`: the kernel hides its address")]
    HiddenAddress(String),
    /// The symbol is an uninitialised global of `-fcommon`.
    #[error("`{0}` is a COMMON symbol")]
    Common(String),
    /// The symbol has no place in the object.
    #[error("`{0}` is neither a map, nor a variable, nor a function of this object")]
    NoPlace(String),
    /// The symbol's section is of no kind that a program can refer to.
    #[error(
        "`{symbol}` is in section `{section}`, which holds neither code nor maps, and is none of .data, .bss, .rodata"
    )]
    UnknownSection {
        /// The symbol.
        symbol: String,
        /// Its section.
        section: String,
    },
    /// A variable in the memory of an arena.
    #[error("`{0}` is a variable in the memory of an arena (section `.addr_space.1`), which this loader does not fill")]
    Arena(String),
    /// No function begins where the call or the address points.
    #[error("no function begins at byte {offset} of section `{section}`")]
    NoFunction {
        /// The section.
        section: String,
        /// Bytes.
        offset: i64,
    },
    /// No map begins where the address points.
    #[error("no map begins at byte {offset} of section `{section}`")]
    NoMap {
        /// The section.
        section: String,
        /// Bytes.
        offset: i64,
    },
    /// The function is there, but its symbol makes no sense.
    #[error("it needs a function that cannot be used: {0}")]
    BrokenFunction(Box<SpecError>),
    /// The map is there, but its definition makes no sense.
    #[error("it uses a map that cannot be created: {0}")]
    BrokenMap(Box<SpecError>),
    /// A slot of a map holds something that is neither a map nor a program.
    #[error("slot {index} of map `{map}` holds what is neither a map nor a program of this object")]
    BadSlot {
        /// The map.
        map: String,
        /// The slot.
        index: u32,
    },
    /// A program array holds a program that cannot be linked.
    #[error("a program array that it uses holds `{name}`, and that cannot be linked: {error}")]
    Sibling {
        /// The other program.
        name: String,
        /// Why not.
        error: Box<LinkError>,
    },
    /// The address lies outside the data section.
    #[error("byte {offset} of section `{section}`, which has {size} bytes")]
    OutsideData {
        /// The section.
        section: String,
        /// Bytes.
        offset: i64,
        /// Its size in bytes.
        size: u64,
    },
    /// The instruction depends on the layout of the kernel's types, in a way that makes no sense.
    #[error("CO-RE relocation: {0}")]
    Core(String),
    /// Longer than the kernel takes.
    #[error("with the functions that it calls it has more than {0} slots, the kernel's limit")]
    TooLong(usize),
    /// The programs of the object call the same functions so often that it would grow out of all proportion.
    #[error(
        "with its copies of the functions that it calls the programs have more than four times the object's slots, and 262144 more"
    )]
    TooManyCopies,
}

impl LinkErrorKind {
    /// A reference to a section that a program cannot refer to.
    pub(crate) fn unknown_section(symbol: String, section: String) -> Self {
        match section.as_str() {
            ".addr_space.1" => Self::Arena(symbol),
            _ => Self::UnknownSection { symbol, section },
        }
    }
}
