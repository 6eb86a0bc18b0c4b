//! Function and line records move with the functions that they describe.

use crate::btf::ext::{FuncInfo, LineInfo};
use crate::testing::{CALL, EXIT, Elf, R_BPF_64_32, R0, Records, Types, btf_ext, plan, program};

/// `filter` (slots 0-1 of `socket`), which calls `bump` (slots 2-4 of `.text`, after a function that nobody calls).
fn linked(funcs: &[Records<'_, 2>], lines: &[Records<'_, 4>]) -> (Vec<FuncInfo>, Vec<LineInfo>) {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[R0, EXIT, R0, R0, EXIT].concat());
    elf.func(text, "other", 0, 16);
    let bump = elf.func(text, "bump", 16, 24);
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, bump);
    let mut types = Types::new();
    let ext = btf_ext(&mut types, funcs, lines, &[]);
    elf.btf(&types);
    elf.data(".BTF.ext", &ext);
    let plan = plan(&elf.build()).unwrap();
    let filter = program(&plan, "filter");
    (filter.func_info.clone(), filter.line_info.clone())
}

/// Byte offset and type of each function.
const FUNCS: [Records<'static, 2>; 2] = [("socket", &[[0, 70]]), (".text", &[[0, 71], [16, 72]])];
/// Byte offset, file, text and position of each line.
const LINES: [Records<'static, 4>; 2] =
    [("socket", &[[0, 1, 2, 100], [8, 1, 2, 101]]), (".text", &[[0, 1, 2, 200], [16, 1, 2, 201], [32, 1, 2, 202]])];

#[test]
fn records_count_slots_of_the_program_instead_of_bytes_of_the_section() {
    let (funcs, lines) = linked(&FUNCS, &LINES);
    let funcs: Vec<_> = funcs.iter().map(|record| (record.insn_off, record.type_id)).collect();
    assert_eq!(funcs, [(0, 70), (2, 72)], "`bump` went to slot 2, `other` is not there");
    let lines: Vec<_> = lines.iter().map(|record| (record.insn_off, record.line_col)).collect();
    assert_eq!(lines, [(0, 100), (1, 101), (2, 201), (4, 202)]);
}

#[test]
fn a_function_without_a_record_leaves_the_program_without_any() {
    let funcs: [Records<'_, 2>; 2] = [("socket", &[[0, 70]]), (".text", &[[0, 71]])];
    assert_eq!(linked(&funcs, &LINES), (vec![], vec![]), "the kernel refuses records that leave a function out");
}

#[test]
fn a_function_whose_first_line_is_unknown_leaves_the_program_without_lines() {
    let lines: [Records<'_, 4>; 2] = [("socket", &[[0, 1, 2, 100]]), (".text", &[[24, 1, 2, 201]])];
    let (funcs, lines) = linked(&FUNCS, &lines);
    assert_eq!((funcs.len(), lines), (2, vec![]));
}

#[test]
fn a_record_in_the_middle_of_a_function_is_no_function() {
    let funcs: [Records<'_, 2>; 2] = [("socket", &[[0, 70], [8, 73]]), (".text", &[[16, 72]])];
    let types: Vec<_> = linked(&funcs, &LINES).0.iter().map(|record| record.type_id).collect();
    assert_eq!(types, [70, 72]);
}

#[test]
fn two_records_for_one_function_leave_the_program_without_any() {
    let funcs: [Records<'_, 2>; 2] = [("socket", &[[0, 70], [0, 73]]), (".text", &[[16, 72]])];
    assert_eq!(linked(&funcs, &LINES), (vec![], vec![]));
}

#[test]
fn an_object_without_line_records_has_programs_without_them() {
    assert_eq!(linked(&[], &[]), (vec![], vec![]));
    assert_eq!(linked(&FUNCS, &[]).1, []);
}
