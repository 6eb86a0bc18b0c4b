//! What fills the hole that a declared symbol of the kernel's own left.

use crate::insn::Insn;

/// A variable or function of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extern {
    /// `lddw`: src = `BPF_PSEUDO_BTF_ID`, imm = the number of a variable or function in the kernel's BTF. The verifier puts
    /// the address in, and knows the type. Since 5.10.
    BtfId {
        /// The type's number in vmlinux.
        id: u32,
    },
    /// `lddw`: a plain number, which the verifier takes for no pointer.
    Address {
        /// The address, or 0 for a weak symbol that the kernel does not have.
        address: u64,
    },
    /// `call`: src = `BPF_PSEUDO_KFUNC_CALL`, imm = the number of a function in the kernel's BTF. Since 5.13.
    Kfunc {
        /// The type's number in vmlinux.
        id: u32,
    },
    /// `call` of a weak function that the kernel does not have: a helper number that is nobody's, so that the verifier refuses
    /// the program only if it would really get there.
    MissingKfunc {
        /// The symbol's place among the object's externs; libbpf's number for it, so that every tool can tell.
        index: u32,
    },
}

/// What a plan would have to know of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Its types.
    Btf,
    /// Its configuration or version.
    Config,
    /// Its symbols' addresses.
    Symbols,
}

impl Needs {
    /// The same in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Btf => "a target BTF",
            Self::Config => "the kernel's configuration",
            Self::Symbols => "the kernel's symbols (/proc/kallsyms)",
        }
    }
}

/// libbpf's number of the first missing function.
const MISSING: u32 = 2_002_000_000;

impl Extern {
    /// Fills the hole at slot `at`.
    pub(super) fn apply(self, insns: &mut [Insn], at: usize) {
        let Some(hole) = insns.get_mut(at..) else { return };
        match (self, hole) {
            (Self::BtfId { id }, [first, second, ..]) => {
                *first = first.with_src(Insn::BPF_PSEUDO_BTF_ID).with_imm(id.cast_signed());
                *second = second.with_imm(0);
            }
            (Self::Address { address }, [first, second, ..]) => {
                *first = first.with_imm(address as i32);
                *second = second.with_imm((address >> 32) as i32);
            }
            (Self::Kfunc { id }, [call, ..]) => {
                *call = call.with_src(Insn::BPF_PSEUDO_KFUNC_CALL).with_imm(id.cast_signed());
            }
            (Self::MissingKfunc { index }, [call, ..]) => {
                *call = Insn { code: Insn::CALL, regs: 0, off: 0, imm: MISSING.wrapping_add(index).cast_signed() };
            }
            _ => {}
        }
    }
}
