mod hostile;

use super::{ElfError, Object, SymbolKind, SymbolPlace};
use crate::testing::{EXIT, Elf, LDDW, R_BPF_64_64};

/// A program of one map reference, with a variable in `.data`.
fn sample() -> Vec<u8> {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let data = elf.data(".data", &[1, 2, 3, 4]);
    let limit = elf.var(data, "limit", 0, 4);
    elf.reloc(code, 0, R_BPF_64_64, limit);
    elf.build()
}

/// The sample with other bytes at `at`.
fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = sample();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

/// Where the header of section `index` begins in the file.
fn header_of(file: &[u8], index: usize) -> usize {
    let table = u64::from_le_bytes(file[0x28..0x30].try_into().unwrap()); // e_shoff
    table as usize + index * 64
}

/// The sample's sections, for their numbers and places.
fn section_of_sample(name: &str) -> (usize, usize) {
    let file = sample();
    let object = Object::parse(&file).unwrap();
    let section = object.section_named(name).unwrap();
    (section.index, section.file_offset as usize)
}

fn message(file: &[u8]) -> String {
    Object::parse(file).unwrap_err().to_string()
}

#[test]
fn a_file_that_is_not_elf_shows_its_first_bytes() {
    assert_eq!(message(b"#!/bin/sh"), "not an ELF file: it starts with 23 21 2f 62, expected 7f 45 4c 46");
    assert_eq!(message(b"\x7fE"), "not an ELF file: it starts with 7f 45, expected 7f 45 4c 46");
    assert_eq!(message(b""), "not an ELF file: it starts with nothing (it is empty), expected 7f 45 4c 46");
}

#[test]
fn elf32_is_refused_by_its_class() {
    let expected = "not a BPF object: e_ident[EI_CLASS] is 1, expected 2 (ELFCLASS64)";
    assert_eq!(message(&patched(4, &[1])), expected);
}

#[test]
fn a_big_endian_object_is_told_which_target_to_use() {
    let expected = "not a BPF object: byte order is big-endian (bpfeb), expected little-endian \
        (clang --target=bpfel), or its twin";
    assert_eq!(message(&patched(5, &[2])), expected);
}

#[test]
fn a_byte_order_that_does_not_exist_is_malformed() {
    assert_eq!(message(&patched(5, &[3])), "ELF header: e_ident[EI_DATA] is neither 1 nor 2");
}

#[test]
fn an_object_for_another_machine_is_told_the_target() {
    let x86_64 = patched(0x12, &[62, 0]);
    assert_eq!(message(&x86_64), "not a BPF object: e_machine is 62, expected 247 (EM_BPF): clang --target=bpf");
}

#[test]
fn old_clang_left_the_machine_zero_and_is_read() {
    assert!(Object::parse(&patched(0x12, &[0, 0])).is_ok());
}

#[test]
fn a_linked_file_is_refused_by_its_type() {
    let executable = patched(0x10, &[2, 0]); // ET_EXEC
    assert_eq!(
        message(&executable),
        "not a BPF object: e_type is 2, expected 1 (ET_REL): an object that is not linked"
    );
}

#[test]
fn the_program_that_runs_this_test_is_not_a_bpf_object() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let Err(ElfError::NotBpf { what: "e_machine", .. }) = Object::parse(&own) else { panic!("read as an object") };
}

#[test]
fn a_header_that_is_cut_short_is_malformed() {
    assert_eq!(message(b"\x7fELF"), "ELF header: only 4 of its 64 bytes");
    assert!(message(&sample()[..63]).starts_with("ELF header: "));
}

#[test]
fn a_section_table_outside_the_file_is_malformed() {
    let beyond = patched(0x28, &u64::MAX.to_le_bytes()); // e_shoff
    assert!(message(&beyond).starts_with("section header table: "));
}

#[test]
fn a_section_outside_the_file_shows_both_sizes() {
    let file = sample();
    let (index, offset) = section_of_sample(".data");
    let beyond = patched(header_of(&file, index) + 32, &[0xff, 0xff, 0, 0]); // sh_size
    let expected =
        format!("section [{index}] `.data`: 65535 bytes at {offset:#x} lie outside the file of {} bytes", file.len());
    assert_eq!(message(&beyond), expected);
}

#[test]
fn a_section_name_outside_the_name_table_is_malformed() {
    let file = sample();
    let (index, _) = section_of_sample(".data");
    let nameless = patched(header_of(&file, index), &[0xff, 0xff, 0xff, 0x7f]); // sh_name
    assert!(message(&nameless).starts_with(&format!("section [{index}] name: ")));
}

#[test]
fn a_symbol_in_a_section_that_does_not_exist_is_malformed() {
    let file = sample();
    let object = Object::parse(&file).unwrap();
    let limit = object.symbols.iter().position(|symbol| symbol.name == "limit").unwrap();
    let (_, table) = section_of_sample(".symtab");
    let astray = patched(table + limit * 24 + 6, &[200, 0]); // st_shndx
    let expected = format!("symbol {limit}: is in section 200, but there are only {}", object.sections.len());
    assert_eq!(message(&astray), expected);
}

#[test]
fn a_record_that_names_an_unknown_symbol_is_malformed() {
    let file = sample();
    let symbols = Object::parse(&file).unwrap().symbols.len();
    let (index, records) = section_of_sample(".relsocket");
    let astray = patched(records + 12, &[77, 0, 0, 0]); // r_info, the symbol's half
    let expected =
        format!("relocation section [{index}] `socket`, record 0: names symbol 77, but there are only {symbols}");
    assert_eq!(message(&astray), expected);
}

#[test]
fn records_for_a_section_that_does_not_exist_are_malformed() {
    let file = sample();
    let (index, _) = section_of_sample(".relsocket");
    let astray = patched(header_of(&file, index) + 44, &[99, 0, 0, 0]); // sh_info
    assert_eq!(message(&astray), format!("relocation section [{index}]: patches section 99, which does not exist"));
}

#[test]
fn a_stripped_object_is_malformed() {
    let file = sample();
    let (index, _) = section_of_sample(".symtab");
    let stripped = patched(header_of(&file, index) + 4, &[1]); // sh_type = SHT_PROGBITS
    assert_eq!(message(&stripped), "symbol table (.symtab): missing: was the object stripped?");
}

#[test]
fn sections_and_symbols_keep_the_numbers_of_the_file() {
    let file = sample();
    let object = Object::parse(&file).unwrap();
    let names: Vec<_> = object.sections.iter().map(|section| section.name.as_ref()).collect();
    assert_eq!(names, ["", "socket", ".relsocket", ".data", ".symtab", ".strtab", ".shstrtab"]);
    assert!(object.sections.iter().enumerate().all(|(number, section)| section.index == number));

    let symbols: Vec<_> = object.symbols.iter().map(|symbol| (symbol.name.as_ref(), symbol.kind)).collect();
    assert_eq!(symbols, [("", SymbolKind::Other), ("filter", SymbolKind::Func), ("limit", SymbolKind::Object)]);
    assert_eq!(object.symbols[2].place, SymbolPlace::Section(3));
    assert_eq!(object.section_of(&object.symbols[2]).unwrap().name, ".data");

    let [record] = object.sections[1].relocs[..] else { panic!("one record") };
    assert_eq!((record.offset, record.r_type, record.symbol, record.addend), (0, R_BPF_64_64, 2, None));
}

#[test]
fn a_section_of_zeros_has_a_size_but_no_bytes() {
    let mut elf = Elf::new();
    let bss = elf.bss(".bss", 1 << 40);
    elf.var(bss, "huge", 0, 8);
    let file = elf.build();
    let object = Object::parse(&file).unwrap();
    let bss = object.section_named(".bss").unwrap();
    assert_eq!((bss.is_nobits, bss.data.len(), bss.size), (true, 0, 1 << 40));
}

#[test]
fn records_are_sorted_by_offset() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, LDDW, EXIT].concat());
    let data = elf.data(".data", &[0; 4]);
    let limit = elf.var(data, "limit", 0, 4);
    elf.reloc(code, 16, R_BPF_64_64, limit);
    elf.reloc(code, 0, R_BPF_64_64, limit);
    let file = elf.build();
    let object = Object::parse(&file).unwrap();
    let offsets: Vec<_> = object.section_named("socket").unwrap().relocs.iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [0, 16]);
}
