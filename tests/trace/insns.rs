//! strace's `{code=BPF_ALU64|BPF_K|BPF_MOV, dst_reg=BPF_REG_1, …}` turned back into the eight bytes that it stands for.

use crate::strace::Node;

/// The slots of an `insns` array.
#[track_caller]
pub(crate) fn encode_all(insns: &Node) -> Vec<u8> {
    let Node::Array(insns) = insns else { panic!("expected instructions, found {insns:?}") };
    insns.iter().flat_map(encode).collect()
}

fn encode(insn: &Node) -> [u8; 8] {
    let field = |name: &str| insn.field(name).unwrap_or_else(|| panic!("no {name} in {insn:?}"));
    let off = (field("off").number() as i16).to_le_bytes();
    let imm = (field("imm").number() as u32).to_le_bytes();
    let registers = register(field("src_reg").word()) << 4 | register(field("dst_reg").word());
    [opcode(field("code").word()), registers, off[0], off[1], imm[0], imm[1], imm[2], imm[3]]
}

fn register(name: &str) -> u8 {
    name.strip_prefix("BPF_REG_")
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no register: {name}"))
}

/// The bits of each part, of which the first is the class: what the others mean depends on it.
fn opcode(code: &str) -> u8 {
    let parts: Vec<_> = code.split('|').collect();
    let is_jump = parts[0].starts_with("BPF_JMP");
    parts.iter().fold(0, |bits, part| bits | bits_of(part, is_jump))
}

/// Source: `include/uapi/linux/bpf_common.h`, `include/uapi/linux/bpf.h`.
fn bits_of(name: &str, is_jump: bool) -> u8 {
    if let Some(unknown) = name.strip_prefix("0x") {
        return u8::from_str_radix(unknown, 16).unwrap();
    }
    match (name.strip_prefix("BPF_").unwrap_or_default(), is_jump) {
        ("LD" | "W" | "K" | "IMM" | "TO_LE", _) | ("ADD", false) | ("JA", true) => 0,
        ("LDX", _) => 1,
        ("ST", _) => 2,
        ("STX", _) => 3,
        ("ALU", _) => 4,
        ("JMP", _) => 5,
        ("JMP32", _) => 6,
        ("ALU64", _) => 7,
        ("X" | "H" | "TO_BE", _) => 0x08,
        ("B", _) | ("SUB", false) | ("JEQ", true) => 0x10,
        ("DW", _) => 0x18,
        ("ABS", _) | ("MUL", false) | ("JGT", true) => 0x20,
        ("DIV", false) | ("JGE", true) => 0x30,
        ("IND", _) | ("OR", false) | ("JSET", true) => 0x40,
        ("AND", false) | ("JNE", true) => 0x50,
        ("MEM", _) | ("LSH", false) | ("JSGT", true) => 0x60,
        ("RSH", false) | ("JSGE", true) => 0x70,
        ("NEG", false) | ("CALL", true) => 0x80,
        ("MOD", false) | ("EXIT", true) => 0x90,
        ("XOR", false) | ("JLT", true) => 0xa0,
        ("MOV", false) | ("JLE", true) => 0xb0,
        ("XADD" | "ATOMIC", _) | ("ARSH", false) | ("JSLT", true) => 0xc0,
        ("END", false) | ("JSLE", true) => 0xd0,
        _ => panic!("unknown part of an opcode: {name}"),
    }
}
