//! Instructions that are refused whatever the registers hold.

use super::super::when::When::Always;
use super::{Message, row};

pub(super) const ROWS: &[Message] = &[
    row(
        "indirect-call",
        &["unknown opcode 8d"],
        Always,
        "a function is called whose address is in a register (`callx`), and programs can only call what is known when they are loaded",
        "call each function by its name: `return i ? two(x) : one(x);`",
    ),
    row(
        "opcode",
        &["unknown opcode {code}", "Invalid insn code at line_info[{#record}]"],
        Always,
        "the eight bytes here are no instruction that this kernel knows",
        "compile for an older instruction set, `-mcpu=v3` or v2, which every kernel knows; where a loader or assembly wrote the bytes, see that lddw kept both its slots",
    ),
    row(
        "lddw-halves",
        &["invalid bpf_ld_imm64 insn"],
        Always,
        "lddw takes two slots, and of the second one only the immediate counts: the rest of it must be 0, and here it is another instruction, or the program's end",
        "write `r0 = 1 ll` in assembly, and keep both slots where instructions are copied or cut",
    ),
    row(
        "lddw-source",
        &["unrecognized bpf_ld_imm64 insn"],
        Always,
        "src of lddw says what its number is, and this pair of src and number means nothing: with src 1, a map's descriptor, the second slot must be 0",
        "put a descriptor into the first slot alone; with src 2 (BPF_PSEUDO_MAP_VALUE) the second one is an offset into the map's value",
    ),
    row(
        "lddw-middle",
        &["jump into the middle of ldimm64 insn {#insn}"],
        Always,
        "lddw takes two slots, and a jump leads to the second one, which is no instruction",
        "in assembly jump to a label; distances count slots, and lddw is two of them",
    ),
    row(
        "map-fd",
        &["fd {#fd} is not pointing to valid bpf_map"],
        Always,
        "lddw names a map by its descriptor, and {fd} is no descriptor of a map in the process that loads the program (EBADF: nothing is open there; EINVAL: something else is)",
        "name the map in C, `&map`, and leave the hole to the loader; a loader puts in what BPF_MAP_CREATE has returned to it, and keeps that open until the program is loaded",
    ),
    row(
        "no-exit",
        &["last insn is not an exit or jmp", "jump out of range from insn {#insn} to {#to}"],
        Always,
        "a function runs on behind its last instruction; a call that a loader left unpatched looks the same, since it leads to a slot where no function begins",
        "end every function with `return`, and assembly with `exit`",
    )
    .met_in(&["cilium/ebpf#72"]),
];
