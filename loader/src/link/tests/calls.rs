//! Calls and callbacks: which function, and where it goes.

use crate::plan::PatchKind;
use crate::testing::{CALL, CALL_1, EXIT, Elf, LDDW, LDDW_8, R_BPF_64_32, R_BPF_64_64, R0, plan, program};

/// Slot, symbol and kind of each patch of the first program.
fn patches(elf: &Elf) -> Vec<(usize, String, PatchKind)> {
    let plan = plan(&elf.build()).unwrap();
    let program = plan.prog_loads().next().unwrap();
    program.patches.iter().map(|patch| (patch.insn, patch.symbol.clone(), patch.kind)).collect()
}

/// The immediates of the first program, with its holes filled.
fn imms(elf: &Elf) -> Vec<i32> {
    let plan = plan(&elf.build()).unwrap();
    plan.prog_loads().next().unwrap().resolve(|_| 0).iter().map(|insn| insn.imm).collect()
}

fn call(insn: usize, symbol: &str, callee: usize) -> (usize, String, PatchKind) {
    (insn, symbol.to_owned(), PatchKind::Call { callee })
}

#[test]
fn a_call_by_name_appends_the_function_after_the_program() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[R0, EXIT, R0, EXIT].concat());
    elf.func(text, "other", 0, 16);
    let bump = elf.func(text, "bump", 16, 16);
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, bump);
    assert_eq!(patches(&elf), [call(0, "bump", 2)]);
    // From the slot after the call, 1, to slot 2; the two slots of `other` are not there.
    assert_eq!(imms(&elf), [1, 0, 0, 0]);
}

#[test]
fn a_call_of_a_static_function_names_the_section_and_counts_slots() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[R0, EXIT, R0, EXIT].concat());
    elf.static_func(text, "other", 0, 16);
    elf.static_func(text, "bump", 16, 16);
    let code = elf.program("socket", "filter", &[CALL_1, EXIT].concat());
    let symbol = elf.section_symbol(text);
    elf.reloc(code, 0, R_BPF_64_32, symbol); // imm 1: (1 + 1) * 8 = byte 16
    assert_eq!(patches(&elf), [call(0, "bump", 2)]);
}

#[test]
fn a_call_without_a_record_counts_from_the_next_slot() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[CALL_1, EXIT, R0, EXIT].concat());
    elf.func(code, "filter", 0, 16);
    elf.static_func(code, "bump", 16, 16); // imm 1: slot 1 + 1
    assert_eq!(patches(&elf), [call(0, "bump", 2)]);
}

#[test]
fn a_call_back_to_the_program_itself_appends_nothing() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    let filter = elf.0.symbol_id(b"filter").unwrap();
    elf.reloc(code, 0, R_BPF_64_32, filter);
    assert_eq!(patches(&elf), [call(0, "filter", 0)]);
    assert_eq!(imms(&elf), [-1, 0]);
}

#[test]
fn the_address_of_a_function_is_a_callback() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[EXIT, R0, EXIT].concat());
    elf.static_func(text, "other", 0, 8);
    elf.static_func(text, "each", 8, 16);
    let code = elf.program("socket", "filter", &[LDDW_8, EXIT].concat());
    let symbol = elf.section_symbol(text);
    elf.reloc(code, 0, R_BPF_64_64, symbol);
    assert_eq!(patches(&elf), [(0, "each".to_owned(), PatchKind::Func { callee: 3 })]);
    let plan = plan(&elf.build()).unwrap();
    let insns = program(&plan, "filter").resolve(|_| 0);
    // From slot 1, the second half of lddw itself, to slot 3: the kernel counts from there.
    assert_eq!((insns[0].src(), insns[0].imm, insns[1].imm), (4, 2, 0));
}

#[test]
fn functions_at_equal_offsets_of_different_sections_are_both_found() {
    let mut elf = Elf::new();
    let one = elf.code(".text", &[R0, EXIT].concat());
    let two = elf.code(".text.cold", &[EXIT, EXIT, EXIT].concat());
    let one = elf.func(one, "one", 0, 16);
    let two = elf.func(two, "two", 0, 24);
    let code = elf.program("socket", "filter", &[CALL, CALL, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, one);
    elf.reloc(code, 8, R_BPF_64_32, two);
    assert_eq!(patches(&elf), [call(0, "one", 3), call(1, "two", 5)]);
    assert_eq!(imms(&elf).len(), 3 + 2 + 3);
}

#[test]
fn a_function_is_appended_once_however_often_it_is_called() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[R0, EXIT].concat());
    let bump = elf.func(text, "bump", 0, 16);
    let code = elf.program("socket", "filter", &[CALL, CALL, LDDW, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, bump);
    elf.reloc(code, 8, R_BPF_64_32, bump);
    elf.reloc(code, 16, R_BPF_64_64, bump);
    let func = (2, "bump".to_owned(), PatchKind::Func { callee: 5 });
    assert_eq!(patches(&elf), [call(0, "bump", 5), call(1, "bump", 5), func]);
    assert_eq!(imms(&elf), [4, 3, 2, 0, 0, 0, 0]);
}

#[test]
fn what_a_called_function_calls_is_appended_too() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[CALL, EXIT, R0, EXIT].concat());
    let outer = elf.func(text, "outer", 0, 16);
    let inner = elf.func(text, "inner", 16, 16);
    elf.reloc(text, 0, R_BPF_64_32, inner);
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, outer);
    assert_eq!(patches(&elf), [call(0, "outer", 2), call(2, "inner", 4)]);
}

#[test]
fn functions_that_call_each_other_end() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[CALL, EXIT, CALL, EXIT].concat());
    let ping = elf.func(text, "ping", 0, 16);
    let pong = elf.func(text, "pong", 16, 16);
    elf.reloc(text, 0, R_BPF_64_32, pong);
    elf.reloc(text, 16, R_BPF_64_32, ping);
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, ping);
    assert_eq!(patches(&elf), [call(0, "ping", 2), call(2, "pong", 4), call(4, "ping", 2)]);
}

#[test]
fn a_call_of_a_helper_is_no_hole() {
    let helper = [0x85, 0x00, 0, 0, 26, 0, 0, 0]; // call 26, src = 0
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[&helper[..], EXIT].concat());
    assert_eq!((patches(&elf), imms(&elf)), (vec![], vec![26, 0]));
}

#[test]
fn the_programs_of_one_section_are_cut_apart() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[R0, EXIT, CALL, EXIT].concat());
    let first = elf.func(code, "first", 0, 16);
    elf.func(code, "second", 16, 16);
    elf.reloc(code, 16, R_BPF_64_32, first);
    let plan = plan(&elf.build()).unwrap();
    assert_eq!(program(&plan, "first").insns.len(), 2);
    let second = program(&plan, "second");
    assert_eq!(second.insns.len(), 4, "its own two slots, then those of `first`, which it calls");
    assert_eq!((second.patches[0].insn, second.patches[0].kind), (0, PatchKind::Call { callee: 2 }));
}

#[test]
fn a_function_is_followed_by_what_it_calls_before_what_its_caller_calls_next() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[CALL, EXIT, R0, EXIT, R0, EXIT].concat());
    let first = elf.func(text, "first", 0, 16);
    let second = elf.func(text, "second", 16, 16);
    let of_first = elf.func(text, "of_first", 32, 16);
    elf.reloc(text, 0, R_BPF_64_32, of_first);
    let code = elf.program("socket", "filter", &[CALL, CALL, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, first);
    elf.reloc(code, 8, R_BPF_64_32, second);
    assert_eq!(patches(&elf), [call(0, "first", 3), call(1, "second", 7), call(3, "of_first", 5)]);
}

#[test]
fn a_chain_of_calls_may_be_long() {
    const FUNCTIONS: u64 = 20_000;
    let mut elf = Elf::new();
    let text = elf.code(".text", &[CALL, EXIT].concat().repeat(FUNCTIONS as usize));
    let functions: Vec<_> = (0..FUNCTIONS).map(|n| elf.func(text, &format!("f{n}"), n * 16, 16)).collect();
    for (n, next) in (0..).zip(&functions[1..]) {
        elf.reloc(text, n * 16, R_BPF_64_32, *next);
    }
    elf.reloc(text, (FUNCTIONS - 1) * 16, R_BPF_64_32, functions[0]);
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, functions[0]);
    assert_eq!(patches(&elf).len() as u64, FUNCTIONS + 1);
}
