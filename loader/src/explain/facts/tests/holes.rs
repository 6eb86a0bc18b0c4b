//! Holes: which record told of each, and programs that cannot be linked.

use super::{facts, text};
use crate::explain::facts::{Facts, ProgramFacts, Record};
use crate::explain::page::Look;
use crate::testing::{CALL, CALL_1, EXIT, Elf, LDDW, LDDW_8, OBJECTS, R_BPF_64_32, R_BPF_64_64, R0};

fn of_program<'f>(facts: &'f Facts, name: &str) -> &'f ProgramFacts {
    facts.programs.iter().find(|program| program.name == name).unwrap()
}

#[test]
fn a_hole_names_the_record_that_told_of_it() {
    let facts = facts(OBJECTS[0].1);
    let holes = &of_program(&facts, "count").holes;
    assert_eq!(holes.len(), 5);
    let Record::Elf { section, file_offset, r_offset, r_type_name, name, place, .. } = &holes[1].record else {
        panic!("{:?}", holes[1].record);
    };
    assert_eq!((section.as_str(), *r_offset, r_type_name.as_str()), (".relsocket", 0x58, "R_BPF_64_64"));
    assert_eq!((name.as_str(), place.as_str()), ("total_bytes", ".bss + 0x8"));
    assert_eq!(*file_offset, Some(0xbe8 + 16), "the second record of a section at 0xbe8");
    let source = holes[1].source.as_ref().unwrap();
    assert_eq!((source.line, source.text.as_str()), (35, "__sync_fetch_and_add(&total_bytes, skb->len);"));
}

#[test]
fn a_hole_in_an_appended_function_names_the_record_of_the_functions_own_section() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    let text = elf.code(".text", &[R0, EXIT, LDDW, EXIT].concat());
    elf.func(text, "unused", 0, 16);
    let callee = elf.func(text, "callee", 16, 24);
    let data = elf.data(".data", &[0; 16]);
    let state = elf.var(data, "state", 8, 8);
    elf.reloc(code, 0, R_BPF_64_32, callee);
    elf.reloc(text, 16, R_BPF_64_64, state);
    let facts = facts(&elf.build());
    let filter = of_program(&facts, "filter");
    assert_eq!(filter.functions[1].insn, 2);
    let hole = &filter.holes[1];
    assert_eq!(hole.insn, 2);
    assert!(matches!(&hole.record, Record::Elf { section, r_offset: 16, .. } if section == ".rel.text"), "{hole:?}");
    assert_eq!(hole.text_after, "r1 = map value + 8");
}

#[test]
fn a_call_that_the_compiler_filled_in_has_no_record() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[CALL_1, R0, EXIT, R0, EXIT].concat());
    elf.func(code, "filter", 0, 16);
    elf.func(code, "callee", 16, 24);
    let facts = facts(&elf.build());
    let hole = &of_program(&facts, "filter").holes[0];
    assert_eq!(hole.record, Record::None);
    assert_eq!(hole.left_open, "not noticed: the bytes are the same");
}

#[test]
fn a_program_that_cannot_be_linked_is_explained_as_such_and_the_others_all_the_same() {
    let mut elf = Elf::new();
    let bad = elf.program("socket/bad", "bad", &[LDDW_8, EXIT].concat());
    elf.program("socket/good", "good", &[R0, EXIT].concat());
    elf.program("?socket", "shy", &[R0, EXIT].concat());
    let other = elf.data("elsewhere", &[0; 16]);
    let thing = elf.var(other, "thing", 0, 8);
    elf.reloc(bad, 0, R_BPF_64_64, thing);
    let facts = facts(&elf.build());
    assert!(of_program(&facts, "bad").error.as_ref().unwrap().contains("`thing`"));
    assert_eq!(of_program(&facts, "shy").fate, "skipped");
    assert!(of_program(&facts, "good").tag_sha256.is_some());
    let text = text(&facts, &Look::default());
    assert!(text.contains("program `bad`, section socket/bad: unlinkable"), "{text}");
    assert!(text.contains("program `good`"), "{text}");
}
