mod hostile;

use super::{ElfError, Object, SymbolKind, SymbolPlace};
use crate::plan::{MapId, PatchKind};
use crate::testing::{CALL, EXIT, Elf, LDDW, R_BPF_64_32, R_BPF_64_64, R0, plan, program};

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

/// The same object with the records of `socket` as `SHT_RELA`: the addend stands in the record, and the hole is 0.
fn with_rela(elf: &Elf, addend: i64) -> Vec<u8> {
    let mut bytes = elf.build();
    let table = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
    let count = u16::from_le_bytes(bytes[60..62].try_into().unwrap()) as usize;
    let word = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let headers = (0..count).map(|index| table + index * 64);
    let rel = headers.into_iter().find(|at| bytes[at + 4..at + 8] == 9u32.to_le_bytes()).expect("an SHT_REL section");
    let (start, size) = (word(&bytes, rel + 24) as usize, word(&bytes, rel + 32) as usize);
    let records: Vec<u8> =
        bytes[start..start + size].chunks(16).flat_map(|rel| [rel, &addend.to_le_bytes()].concat()).collect();
    let end = bytes.len() as u64;
    bytes[rel + 4..rel + 8].copy_from_slice(&4u32.to_le_bytes());
    bytes[rel + 24..rel + 32].copy_from_slice(&end.to_le_bytes());
    bytes[rel + 32..rel + 40].copy_from_slice(&(records.len() as u64).to_le_bytes());
    bytes[rel + 56..rel + 64].copy_from_slice(&24u64.to_le_bytes());
    bytes.extend(records);
    bytes
}

#[test]
fn a_rela_record_holds_its_addend_itself() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let data = elf.data(".data", &[0; 16]);
    let variable = elf.var(data, "pair", 4, 12);
    elf.reloc(code, 0, R_BPF_64_64, variable);
    let bytes = with_rela(&elf, 8);
    let plan = plan(&bytes).unwrap();
    let expected = PatchKind::MapValue { map: MapId(0), offset: 12 };
    assert_eq!(program(&plan, "filter").patches[0].kind, expected, "4 of the symbol, 8 of the record");
}

#[test]
fn a_rela_record_of_a_call_counts_bytes_from_the_symbol() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[R0, EXIT, R0, EXIT].concat());
    elf.func(text, "first", 0, 16);
    elf.func(text, "second", 16, 16);
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    let section = elf.section_symbol(text);
    elf.reloc(code, 0, R_BPF_64_32, section);
    let plan = plan(&with_rela(&elf, 16)).unwrap();
    assert_eq!(program(&plan, "filter").patches[0].symbol, "second");
}
