//! One instruction slot: eight bytes.
//!
//! ```text
//! byte   0      1           2 3      4 5 6 7
//!        code   src:4|dst:4 off      imm            (little-endian object)
//!        18     11          00 00    04 00 00 00    r1 = map fd 4, first slot
//!        00     00          00 00    00 00 00 00    second slot: the upper half of the 64-bit immediate
//! ```
//!
//! A *slot*, not an instruction: `lddw` takes two. Counting slots keeps our numbers equal to `r_offset / 8`, to
//! llvm-objdump's, to the verifier's and to bpftool's.
//!
//! Source: `struct bpf_insn`, `include/uapi/linux/bpf.h`.

use std::mem::offset_of;

mod kernel_text;
mod text;

pub use kernel_text::{Names, Numbers, kernel_text};
pub use text::disassemble;

/// One slot of a program, as `struct bpf_insn` lays it out.
///
/// The kernel reads a program from a slice of these: on a little-endian machine they lie in memory as their bytes do in the file.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Insn {
    /// Operation: class in the low three bits.
    pub code: u8,
    /// Destination register in the low nibble, source register in the high one.
    pub regs: u8,
    /// Signed offset: bytes for a memory access, slots for a jump.
    pub off: i16,
    /// Signed immediate.
    pub imm: i32,
}

const _: () = assert!(size_of::<Insn>() == Insn::SIZE && offset_of!(Insn, off) == 2 && offset_of!(Insn, imm) == 4);

impl Insn {
    /// Bytes in a slot.
    pub const SIZE: usize = 8;

    /// `BPF_LD | BPF_IMM | BPF_DW`: loads a 64-bit immediate, the only instruction of two slots.
    pub const LDDW: u8 = 0x18;
    /// `BPF_JMP | BPF_CALL`: a helper, a kfunc or a function of the object, by `src`.
    pub const CALL: u8 = 0x85;
    /// `BPF_JMP | BPF_EXIT`.
    pub const EXIT: u8 = 0x95;

    /// In `src` of `lddw`: the immediate is a map's descriptor.
    pub const BPF_PSEUDO_MAP_FD: u8 = 1;
    /// In `src` of `lddw`: the immediate is a map's descriptor, the second slot's an offset into its value, in bytes.
    pub const BPF_PSEUDO_MAP_VALUE: u8 = 2;
    /// In `src` of `lddw`: the immediate is the number of a variable or function in the kernel's BTF.
    pub const BPF_PSEUDO_BTF_ID: u8 = 3;
    /// In `src` of `lddw`: the immediate is a function's distance in slots, from the second slot of the `lddw`.
    pub const BPF_PSEUDO_FUNC: u8 = 4;
    /// In `src` of `call`: the immediate is a function's distance in slots, from the next slot.
    pub const BPF_PSEUDO_CALL: u8 = 1;
    /// In `src` of `call`: the immediate is the number of a function in the kernel's BTF.
    pub const BPF_PSEUDO_KFUNC_CALL: u8 = 2;

    /// Reads a slot of a little-endian object.
    ///
    /// ```
    /// use minibpf::insn::Insn;
    /// let exit = Insn::decode([0x95, 0, 0, 0, 0, 0, 0, 0]);
    /// assert_eq!(exit.code, Insn::EXIT);
    /// ```
    pub fn decode(bytes: [u8; Self::SIZE]) -> Self {
        let [code, regs, off0, off1, imm @ ..] = bytes;
        Self { code, regs, off: i16::from_le_bytes([off0, off1]), imm: i32::from_le_bytes(imm) }
    }

    /// The eight bytes of this slot, little-endian.
    pub fn encode(self) -> [u8; Self::SIZE] {
        let [off0, off1] = self.off.to_le_bytes();
        let [imm0, imm1, imm2, imm3] = self.imm.to_le_bytes();
        [self.code, self.regs, off0, off1, imm0, imm1, imm2, imm3]
    }

    /// Reads all slots of `bytes`; what is left over at the end, less than a slot, is not read.
    pub fn decode_all(bytes: &[u8]) -> Vec<Self> {
        bytes.as_chunks().0.iter().map(|slot| Self::decode(*slot)).collect()
    }

    /// The bytes of a whole program.
    pub fn encode_all(insns: &[Self]) -> Vec<u8> {
        insns.iter().map(|insn| insn.encode()).collect::<Vec<_>>().into_flattened()
    }

    /// Destination register, 0 to 10 in a valid program.
    pub fn dst(self) -> u8 {
        self.regs & 0x0f
    }

    /// Source register, or one of the `BPF_PSEUDO_` constants.
    pub fn src(self) -> u8 {
        self.regs >> 4
    }

    /// The same slot with another source register.
    pub fn with_src(self, src: u8) -> Self {
        Self { regs: src << 4 | self.dst(), ..self }
    }

    /// The same slot with another immediate.
    pub fn with_imm(self, imm: i32) -> Self {
        Self { imm, ..self }
    }

    /// Whether this is the first of two slots.
    pub fn is_lddw(self) -> bool {
        self.code == Self::LDDW
    }

    /// Whether this calls a function of the object itself.
    pub fn is_pseudo_call(self) -> bool {
        self.code == Self::CALL && self.src() == Self::BPF_PSEUDO_CALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_then_encoding_changes_no_bit_of_any_byte() {
        for byte in 0..=255u8 {
            let slot = [byte, !byte, byte, byte, !byte, byte, 0x80, byte];
            assert_eq!(Insn::decode(slot).encode(), slot);
        }
    }

    #[test]
    fn destination_is_the_low_nibble_and_source_the_high_one() {
        let insn = Insn::decode([0x7b, 0x1a, 0xf8, 0xff, 0, 0, 0, 0]); // *(u64 *)(r10 - 8) = r1
        assert_eq!((insn.dst(), insn.src(), insn.off), (10, 1, -8));
    }
}
