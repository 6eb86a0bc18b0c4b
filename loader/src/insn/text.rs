//! Instructions in llvm-objdump's words; a test holds every committed object against llvm-objdump itself.

use std::fmt;

use super::Insn;

// The instruction class: the low three bits of the code.
const LD: u8 = 0;
const LDX: u8 = 1;
const ST: u8 = 2;
const STX: u8 = 3;
const ALU: u8 = 4;
const JMP: u8 = 5;
const JMP32: u8 = 6;
const ALU64: u8 = 7;

/// Disassembles a program: one line per instruction, with the number of its first slot.
pub fn disassemble(insns: &[Insn]) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut slots = insns.iter().enumerate();
    while let Some((number, insn)) = slots.next() {
        let text =
            if insn.is_lddw() { insn.lddw(slots.next().map_or(0, |(_, second)| second.imm)) } else { insn.to_string() };
        lines.push((number, text));
    }
    lines
}

impl fmt::Display for Insn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dst, src, ty) = (self.dst(), self.src(), self.access_type());
        match self.code & 7 {
            LD if self.code & 0xe0 == 0x20 => write!(f, "r0 = *({ty} *)skb[{}]", self.imm),
            LD if self.code & 0xe0 == 0x40 => write!(f, "r0 = *({ty} *)skb[r{src}]"),
            LDX => write!(f, "r{dst} = *({ty} *)({})", self.place(src)),
            ST => write!(f, "*({ty} *)({}) = {}", self.place(dst), self.imm),
            STX if self.code & 0xe0 == 0xc0 => f.write_str(&self.atomic()),
            STX => write!(f, "*({ty} *)({}) = r{src}", self.place(dst)),
            ALU | ALU64 => f.write_str(&self.arithmetic()),
            JMP | JMP32 => f.write_str(&self.jump()),
            _ => write!(f, "<unknown code {:#04x}>", self.code),
        }
    }
}

impl Insn {
    /// `lddw`, whose second slot holds `upper`. A source register is no register there, but says what the immediates mean.
    fn lddw(self, upper: i32) -> String {
        let (dst, imm) = (self.dst(), self.imm);
        match self.src() {
            Self::BPF_PSEUDO_MAP_FD => format!("r{dst} = map fd {imm}"),
            Self::BPF_PSEUDO_MAP_VALUE => format!("r{dst} = map value of fd {imm} + {}", upper.cast_unsigned()),
            Self::BPF_PSEUDO_BTF_ID => format!("r{dst} = variable of BTF id {imm}"),
            Self::BPF_PSEUDO_FUNC => format!("r{dst} = function at {imm:+}"),
            _ => format!("r{dst} = {} ll", (i64::from(upper) << 32) | i64::from(imm.cast_unsigned())),
        }
    }

    /// The C type of a memory access: the size in bits 3 and 4, sign extension (`BPF_MEMSX`) in the mode.
    fn access_type(self) -> &'static str {
        match (self.code & 0x18, self.code & 0xe0) {
            (0x00, 0x80) => "s32",
            (0x08, 0x80) => "s16",
            (0x10, 0x80) => "s8",
            (0x00, _) => "u32",
            (0x08, _) => "u16",
            (0x10, _) => "u8",
            _ => "u64",
        }
    }

    /// A memory operand: `r10 - 8`.
    fn place(self, base: u8) -> String {
        let sign = if self.off < 0 { '-' } else { '+' };
        format!("r{base} {sign} {}", self.off.unsigned_abs())
    }

    /// `r3` in the 64-bit classes, `w3` in the 32-bit ones.
    fn register(self, number: u8) -> String {
        let name = if matches!(self.code & 7, ALU | JMP32) { 'w' } else { 'r' };
        format!("{name}{number}")
    }

    /// The right-hand side of an operation: a register or the immediate, by bit 3 of the code.
    fn operand(self) -> String {
        if self.code & 0x08 != 0 { self.register(self.src()) } else { self.imm.to_string() }
    }

    /// `BPF_ATOMIC`: the operation stands in the immediate, its lowest bit asks for the old value.
    fn atomic(self) -> String {
        let (ty, src, place) = (self.access_type(), self.src(), self.place(self.dst()));
        let bits = ty.trim_start_matches('u');
        let (operator, name) = match self.imm & !1 {
            0x00 => ("+=", "add"),
            0x40 => ("|=", "or"),
            0x50 => ("&=", "and"),
            0xa0 => ("^=", "xor"),
            0xe0 if self.imm & 1 == 1 => return format!("r{src} = xchg_{bits}({place}, r{src})"),
            0xf0 if self.imm & 1 == 1 => return format!("r0 = cmpxchg_{bits}({place}, r0, r{src})"),
            _ => return format!("<unknown atomic operation {:#x}>", self.imm),
        };
        if self.imm & 1 == 1 {
            format!("r{src} = atomic_fetch_{name}(({ty} *)({place}), r{src})")
        } else {
            format!("lock *({ty} *)({place}) {operator} r{src}")
        }
    }

    fn arithmetic(self) -> String {
        let dst = self.register(self.dst());
        let operator = match self.code & 0xf0 {
            0x00 => "+=",
            0x10 => "-=",
            0x20 => "*=",
            0x30 if self.off == 1 => "s/=",
            0x30 => "/=",
            0x40 => "|=",
            0x50 => "&=",
            0x60 => "<<=",
            0x70 => ">>=",
            0x80 => return format!("{dst} = -{dst}"),
            0x90 if self.off == 1 => "s%=",
            0x90 => "%=",
            0xa0 => "^=",
            0xb0 if self.off != 0 => return format!("{dst} = (s{}){}", self.off, self.operand()),
            0xb0 => "=",
            0xc0 => "s>>=",
            0xd0 => return self.byte_swap(),
            _ => return format!("<unknown code {:#04x}>", self.code),
        };
        format!("{dst} {operator} {}", self.operand())
    }

    /// `BPF_END`: to little-endian, to big-endian, or (in the 64-bit class) an unconditional swap of `imm` bits.
    fn byte_swap(self) -> String {
        let (dst, bits) = (self.dst(), self.imm);
        let operation = match (self.code & 7, self.code & 0x08) {
            (ALU64, _) => "bswap",
            (_, 0) => "le",
            _ => "be",
        };
        format!("r{dst} = {operation}{bits} r{dst}")
    }

    fn jump(self) -> String {
        let condition = match self.code & 0xf0 {
            0x00 if self.code & 7 == JMP32 => return format!("gotol {:+}", self.imm),
            0x00 => return format!("goto {:+}", self.off),
            // Older clang writes the register into imm, newer into dst.
            0x80 if self.code & 0x08 != 0 && self.imm != 0 => return format!("callx r{}", self.imm),
            0x80 if self.code & 0x08 != 0 => return format!("callx r{}", self.dst()),
            0x80 => return format!("call {}", self.imm),
            0x90 => return "exit".to_owned(),
            0x10 => "==",
            0x20 => ">",
            0x30 => ">=",
            0x40 => "&",
            0x50 => "!=",
            0x60 => "s>",
            0x70 => "s>=",
            0xa0 => "<",
            0xb0 => "<=",
            0xc0 => "s<",
            0xd0 => "s<=",
            _ => return format!("<unknown code {:#04x}>", self.code),
        };
        format!("if {} {condition} {} goto {:+}", self.register(self.dst()), self.operand(), self.off)
    }
}

#[cfg(test)]
mod tests;
