//! Instructions in the kernel's words: those of the verifier's log, and of bpftool. llvm-objdump's are in `text.rs`.
//!
//! Source: `print_bpf_insn()`, `kernel/bpf/disasm.c`, as of 6.18; the comparison with bpftool holds every committed filter against it.

use super::Insn;
use crate::uapi::Helper;

/// Names for what an instruction says in numbers. `None` leaves the number.
pub trait Names {
    /// Whom the `call` at a slot calls. The kernel's own words for a helper by number come first.
    fn call(&self, at: usize, insn: Insn) -> Option<String>;
    /// What the `lddw` at a slot loads.
    fn immediate(&self, at: usize, insn: Insn, second: Insn) -> Option<String>;
}

/// No names: as the verifier's log has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Numbers;

impl Names for Numbers {
    fn call(&self, _: usize, _: Insn) -> Option<String> {
        None
    }

    fn immediate(&self, _: usize, _: Insn, _: Insn) -> Option<String> {
        None
    }
}

/// The instruction at a slot, as `(bf) r6 = r1`; what is not there is an empty text.
pub fn kernel_text(insns: &[Insn], at: usize, names: &dyn Names) -> String {
    let Some(&insn) = insns.get(at) else { return String::new() };
    let code = insn.code;
    match (code & 7, code & 0xf0) {
        (0, _) => load(insns, at, insn, names),
        (1, _) => memory_load(insn),
        (2, _) => store(insn),
        (3, _) => store_register(insn),
        (4 | 7, _) => format!("({code:02x}) {}", arithmetic(insn)),
        (5 | 6, 0x80) => format!("({code:02x}) call {}", callee(insns, at, insn, names)),
        _ => format!("({code:02x}) {}", jump(insn)),
    }
}

const SIZES: [&str; 4] = ["u32", "u16", "u8", "u64"];
const SIGNED_SIZES: [&str; 4] = ["s32", "s16", "s8", "(null)"];
/// What printf(3) writes for an operation that has no name.
const NAMELESS: &str = "(null)";

fn by_size(names: [&'static str; 4], code: u8) -> &'static str {
    names.get(usize::from(code >> 3 & 3)).copied().unwrap_or(NAMELESS)
}

/// `BPF_LD`: packet bytes, or a 64-bit immediate.
fn load(insns: &[Insn], at: usize, insn: Insn, names: &dyn Names) -> String {
    let (code, size) = (insn.code, by_size(SIZES, insn.code));
    match code & 0xe0 {
        0x20 => format!("({code:02x}) r0 = *({size} *)skb[{}]", insn.imm),
        0x40 => format!("({code:02x}) r0 = *({size} *)skb[r{} + {}]", insn.src(), insn.imm),
        0x00 if insn.is_lddw() => {
            let second = insns.get(at + 1).copied().unwrap_or_default();
            let value = u64::from(second.imm.cast_unsigned()) << 32 | u64::from(insn.imm.cast_unsigned());
            let text = names.immediate(at, insn, second).unwrap_or_else(|| format!("{value:#x}"));
            format!("({code:02x}) r{} = {text}", insn.dst())
        }
        _ => format!("BUG_ld_{code:02x}"),
    }
}

/// `BPF_LDX`.
fn memory_load(insn: Insn) -> String {
    let size = match insn.code & 0xe0 {
        0x60 => by_size(SIZES, insn.code),
        0x80 => by_size(SIGNED_SIZES, insn.code),
        _ => return format!("BUG_ldx_{:02x}", insn.code),
    };
    format!("({:02x}) r{} = *({size} *)(r{} {:+})", insn.code, insn.dst(), insn.src(), insn.off)
}

/// `BPF_ST`.
fn store(insn: Insn) -> String {
    let code = insn.code;
    match code & 0xe0 {
        0x60 => format!("({code:02x}) *({} *)(r{} {:+}) = {}", by_size(SIZES, code), insn.dst(), insn.off, insn.imm),
        // The verifier's own: no speculation past this point.
        0xc0 => format!("({code:02x}) nospec"),
        _ => format!("BUG_st_{code:02x}"),
    }
}

/// `BPF_STX`: a plain store, or an atomic operation.
fn store_register(insn: Insn) -> String {
    let (code, size) = (insn.code, by_size(SIZES, insn.code));
    let place = format!("*({size} *)(r{} {:+})", insn.dst(), insn.off);
    match code & 0xe0 {
        0x60 => format!("({code:02x}) {place} = r{}", insn.src()),
        0xc0 => atomic(insn, size).map_or_else(|| format!("BUG_{code:02x}"), |text| format!("({code:02x}) {text}")),
        _ => format!("BUG_{code:02x}"),
    }
}

fn atomic(insn: Insn, size: &str) -> Option<String> {
    let (dst, src, off) = (insn.dst(), insn.src(), insn.off);
    let wide = if size == "u64" { "64" } else { "" };
    let (operator, name) = match insn.imm & !1 {
        0x00 => ("+=", "add"),
        0x40 => ("|=", "or"),
        0x50 => ("&=", "and"),
        0xa0 => ("^=", "xor"),
        _ => ("", ""),
    };
    Some(match insn.imm {
        0xe1 => format!("r{src} = atomic{wide}_xchg(({size} *)(r{dst} {off:+}), r{src})"),
        0xf1 => format!("r0 = atomic{wide}_cmpxchg(({size} *)(r{dst} {off:+}), r0, r{src})"),
        0x100 => format!("r{dst} = load_acquire(({size} *)(r{src} {off:+}))"),
        0x110 => format!("store_release(({size} *)(r{dst} {off:+}), r{src})"),
        _ if name.is_empty() => return None,
        imm if imm & 1 == 1 => format!("r{src} = atomic{wide}_fetch_{name}(({size} *)(r{dst} {off:+}), r{src})"),
        _ => format!("lock *({size} *)(r{dst} {off:+}) {operator} r{src}"),
    })
}

/// In the offset of a 64-bit move: the address of a per-CPU variable's copy on this CPU. The verifier's own.
const ADDRESS_PERCPU: i16 = -1;
/// In the offset of a 64-bit move: between address spaces.
const ADDRESS_SPACE_CAST: i16 = 1;

fn arithmetic(insn: Insn) -> String {
    let width = if insn.code & 7 == 4 { 'w' } else { 'r' };
    let (dst, src) = (insn.dst(), insn.src());
    let is_wide_move = insn.code == 0xbf;
    let operator = match insn.code & 0xf0 {
        0x00 => "+=",
        0x10 => "-=",
        0x20 => "*=",
        0x30 if insn.off == 1 => "s/=",
        0x30 => "/=",
        0x40 => "|=",
        0x50 => "&=",
        0x60 => "<<=",
        0x70 => ">>=",
        0x80 => return format!("{width}{dst} = -{width}{dst}"),
        0x90 if insn.off == 1 => "s%=",
        0x90 => "%=",
        0xa0 => "^=",
        0xb0 if is_wide_move && insn.off == ADDRESS_PERCPU => return format!("r{dst} = &(void __percpu *)(r{src})"),
        0xb0 if is_wide_move && insn.off == ADDRESS_SPACE_CAST => {
            let spaces = insn.imm.cast_unsigned();
            return format!("r{dst} = addr_space_cast(r{src}, {}, {})", spaces >> 16, spaces & 0xffff);
        }
        0xb0 => "=",
        0xc0 => "s>>=",
        0xd0 => return byte_swap(insn),
        _ => NAMELESS,
    };
    if insn.code & 0x08 == 0 {
        return format!("{width}{dst} {operator} {}", insn.imm);
    }
    let cast = match (insn.code & 0xf0, insn.off) {
        (0xb0, bits @ (8 | 16 | 32)) => format!("(s{bits})"),
        _ => String::new(),
    };
    format!("{width}{dst} {operator} {cast}{width}{src}")
}

fn byte_swap(insn: Insn) -> String {
    let operation = match (insn.code & 7, insn.code & 0x08) {
        (7, _) => "bswap",
        (_, 0) => "le",
        _ => "be",
    };
    format!("r{} = {operation}{} r{}", insn.dst(), insn.imm, insn.dst())
}

/// What follows `call `.
fn callee(insns: &[Insn], at: usize, insn: Insn, names: &dyn Names) -> String {
    let named = || insns.get(at).and_then(|insn| names.call(at, *insn));
    match insn.src() {
        Insn::BPF_PSEUDO_CALL => format!("pc{}", named().unwrap_or_else(|| format!("{:+}", insn.imm))),
        src => {
            let helper = if src == 0 { helper(insn.imm) } else { None };
            let unknown = if src == Insn::BPF_PSEUDO_KFUNC_CALL { "kernel-function" } else { "unknown" };
            format!("{}#{}", helper.or_else(named).unwrap_or_else(|| unknown.to_owned()), insn.imm)
        }
    }
}

fn helper(number: i32) -> Option<String> {
    if number == 0 { Some("bpf_unspec".to_owned()) } else { Helper::of(number.into()).map(Helper::name) }
}

/// In the source of `BPF_JCOND`: `may_goto`.
const MAY_GOTO: u8 = 0;

fn jump(insn: Insn) -> String {
    let (off, imm) = (insn.off, insn.imm);
    let condition = match (insn.code, insn.code & 0xf0) {
        (0x05, _) => return format!("goto pc{off:+}"),
        (0x0d, _) => return format!("gotox r{}", insn.dst()),
        (0x06, _) => return format!("gotol pc{imm:+}"),
        (Insn::EXIT, _) => return "exit".to_owned(),
        (0xe5, _) if insn.src() == MAY_GOTO => return format!("may_goto pc{off:+}"),
        (_, 0x00) => "jmp",
        (_, 0x10) => "==",
        (_, 0x20) => ">",
        (_, 0x30) => ">=",
        (_, 0x40) => "&",
        (_, 0x50) => "!=",
        (_, 0x60) => "s>",
        (_, 0x70) => "s>=",
        (_, 0x90) => "exit",
        (_, 0xa0) => "<",
        (_, 0xb0) => "<=",
        (_, 0xc0) => "s<",
        (_, 0xd0) => "s<=",
        _ => NAMELESS,
    };
    let width = if insn.code & 7 == 6 { 'w' } else { 'r' };
    let operand = if insn.code & 0x08 != 0 { format!("{width}{}", insn.src()) } else { format!("{imm:#x}") };
    format!("if {width}{} {condition} {operand} goto pc{off:+}", insn.dst())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of one slot: code, registers, offset, immediate.
    fn text(code: u8, regs: u8, off: i16, imm: i32) -> String {
        kernel_text(&[Insn { code, regs, off, imm }], 0, &Numbers)
    }

    #[test]
    fn every_kind_of_instruction_reads_as_in_the_verifiers_log() {
        let texts = [
            (text(0xbf, 0x16, 0, 0), "(bf) r6 = r1"),
            (text(0x04, 0x02, 0, -8), "(04) w2 += -8"),
            (text(0xb7, 0x02, 0, -8), "(b7) r2 = -8"),
            (text(0xbf, 0x21, 16, 0), "(bf) r1 = (s16)r2"),
            (text(0x3f, 0x21, 1, 0), "(3f) r1 s/= r2"),
            (text(0xbf, 0x00, -1, 0), "(bf) r0 = &(void __percpu *)(r0)"),
            (text(0x87, 0x03, 0, 0), "(87) r3 = -r3"),
            (text(0xdc, 0x01, 0, 16), "(dc) r1 = be16 r1"),
            (text(0xd7, 0x01, 0, 32), "(d7) r1 = bswap32 r1"),
            (text(0x61, 0x60, 112, 0), "(61) r0 = *(u32 *)(r6 +112)"),
            (text(0x91, 0x60, -1, 0), "(91) r0 = *(s8 *)(r6 -1)"),
            (text(0x7a, 0x0a, -8, 5), "(7a) *(u64 *)(r10 -8) = 5"),
            (text(0x6b, 0x2a, -18, 0), "(6b) *(u16 *)(r10 -18) = r2"),
            (text(0xc2, 0, 0, 0), "(c2) nospec"),
            (text(0xdb, 0x12, 0, 0), "(db) lock *(u64 *)(r2 +0) += r1"),
            (text(0xdb, 0x12, 0, 1), "(db) r1 = atomic64_fetch_add((u64 *)(r2 +0), r1)"),
            (text(0xc3, 0x12, 4, 0xe1), "(c3) r1 = atomic_xchg((u32 *)(r2 +4), r1)"),
            (text(0xdb, 0x12, 0, 0xf1), "(db) r0 = atomic64_cmpxchg((u64 *)(r2 +0), r0, r1)"),
            (text(0xc3, 0x12, 0, 0x100), "(c3) r2 = load_acquire((u32 *)(r1 +0))"),
            (text(0x20, 0, 0, 12), "(20) r0 = *(u32 *)skb[12]"),
            (text(0x48, 0x10, 0, 2), "(48) r0 = *(u16 *)skb[r1 + 2]"),
            (text(0x05, 0, -3, 0), "(05) goto pc-3"),
            (text(0x06, 0, 0, 70_000), "(06) gotol pc+70000"),
            (text(0xe5, 0, 4, 0), "(e5) may_goto pc+4"),
            (text(0x15, 0x00, 1, -1), "(15) if r0 == 0xffffffff goto pc+1"),
            (text(0x3e, 0x31, 1, 0), "(3e) if w1 >= w3 goto pc+1"),
            (text(0x85, 0, 0, 26), "(85) call bpf_skb_load_bytes#26"),
            (text(0x85, 0x10, 0, 7), "(85) call pc+7"),
            (text(0x85, 0x20, 0, 90_000), "(85) call kernel-function#90000"),
            (text(0x85, 0, 0, 90_000), "(85) call unknown#90000"),
            (text(0x95, 0, 0, 0), "(95) exit"),
        ];
        for (is, expected) in texts {
            assert_eq!(is, expected);
        }
    }

    #[test]
    fn no_bytes_are_without_a_text() {
        for code in 0..=255 {
            for imm in [0, 1, -1, 0x50, i32::MIN] {
                assert!(!text(code, 0xab, i16::MIN, imm).is_empty());
            }
        }
        assert_eq!(kernel_text(&[], 0, &Numbers), "");
        // The second slot of lddw may be missing.
        assert_eq!(text(0x18, 0x01, 0, 5), "(18) r1 = 0x5");
    }
}
