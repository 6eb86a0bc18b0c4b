//! Mutants, held against two readers of ELF that are not ours: goblin, and the `object` crate's own way of putting a file together, of which minibpf
//! uses the lower half. Where they say something else, it is known why.

use goblin::elf::Elf;
use goblin::elf::section_header::{SHT_NOBITS, SHT_SYMTAB};
use minibpf::elf::Object;
use object::elf::{SHT_REL, SHT_RELA};
use object::read::elf::{ElfFile64, SectionHeader as _};
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, SectionIndex, SymbolIndex};

use crate::mutations::{self, Mutant};

const MUTANTS: usize = 10_000;
const SEED: u64 = 0x676f_626c_696e_2121;

/// What we refuse and a general reader takes, since it does not look there, or BPF is nothing special to it.
const STRICTER: [&str; 14] = [
    // Another machine's objects, and what is linked.
    "not a BPF object: e_machine is",
    "not a BPF object: e_type is",
    "not a BPF object: byte order is",
    // They look for names, and for what lies where, when they are asked.
    "section header table: ",
    "] name: ",
    "lie outside the file of",
    "relocation section [",
    "shares bytes with others",
    // They give such a symbol no name, or no section.
    ": Invalid ELF symbol name offset",
    ": Missing ELF symbol extended index",
    ", but there are only ",
    // Without symbols there is nothing to load; to them that is no error.
    "symbol table (.symtab): missing",
    "symbol table (.symtab): Invalid ELF",
    "the names up to this one are four times as long as the file",
];

#[test]
fn what_goblin_takes_and_we_refuse_is_known() {
    for Mutant { name, bytes } in mutations::all(MUTANTS, SEED) {
        if let (Err(ours), Ok(_)) = (Object::parse(&bytes), Elf::parse(&bytes)) {
            let ours = ours.to_string();
            assert!(STRICTER.iter().any(|known| ours.contains(known)), "{name}: {ours}");
        }
    }
}

/// What we take and goblin refuses: it reads what a loader of BPF objects has no use for.
#[test]
fn what_we_take_and_goblin_refuses_is_known() {
    let looser = [
        // Program headers, which an object that is not linked does not have.
        "program headers",
        "PT_DYNAMIC",
        // `sh_addr`, which is 0 there.
        "+ addr (",
        // Names that are not UTF-8, of which we show what can be shown.
        "invalid utf8",
        // It counts symbols of `sh_entsize` bytes, and so finds more of them than the table has.
        "Symbol table extends beyond file boundary",
    ];
    for Mutant { name, bytes } in mutations::all(MUTANTS, SEED) {
        if let (Ok(_), Err(theirs)) = (Object::parse(&bytes), Elf::parse(&bytes)) {
            let theirs = theirs.to_string();
            assert!(looser.iter().any(|known| theirs.contains(known)), "{name}: {theirs}");
        }
    }
}

#[test]
fn what_both_take_goblin_reads_as_we_do() {
    let mut compared = 0;
    for Mutant { name, bytes } in mutations::all(MUTANTS, SEED) {
        let (Ok(ours), Ok(theirs)) = (Object::parse(&bytes), Elf::parse(&bytes)) else { continue };
        compared += 1;
        assert_eq!(ours.sections.len(), theirs.section_headers.len(), "{name}");
        for (ours, theirs) in ours.sections.iter().zip(&theirs.section_headers) {
            assert_eq!((ours.file_offset, ours.size), (theirs.sh_offset, theirs.sh_size), "{name}");
            assert_eq!(ours.is_nobits, theirs.sh_type == SHT_NOBITS, "{name}");
            let range = theirs.file_range().unwrap_or(0..0);
            assert_eq!(ours.data, &bytes[range], "{name}, section [{}]", ours.index);
        }
        // Of several symbol tables goblin takes the last, we the first, as the `object` crate does.
        if theirs.section_headers.iter().filter(|header| header.sh_type == SHT_SYMTAB).count() > 1 {
            continue;
        }
        // It counts symbols of `sh_entsize` bytes, whatever that says; we, as the `object` crate, of those that a symbol has.
        if theirs.section_headers.iter().any(|header| header.sh_type == SHT_SYMTAB && header.sh_entsize != 24) {
            continue;
        }
        assert_eq!(ours.symbols.len(), theirs.syms.len(), "{name}");
        for (ours, theirs) in ours.symbols.iter().zip(theirs.syms.iter()) {
            assert_eq!((ours.value, ours.size), (theirs.st_value, theirs.st_size), "{name}");
        }
    }
    assert!(compared > MUTANTS / 2, "only {compared} mutants are taken by both");
}

#[test]
fn what_the_object_crate_takes_and_we_refuse_is_known() {
    for Mutant { name, bytes } in mutations::all(MUTANTS, SEED) {
        match (Object::parse(&bytes), ElfFile64::<Endianness>::parse(&*bytes)) {
            (Err(ours), Ok(_)) => {
                let ours = ours.to_string();
                assert!(STRICTER.iter().any(|known| ours.contains(known)), "{name}: {ours}");
            }
            (Ok(_), Err(theirs)) => {
                let theirs = theirs.to_string();
                let known = [
                    // Its table of relocation sections is for sections that may be patched; ours are looked at one by one.
                    "sh_info for relocation section",
                    // Program headers and dynamic symbols, which an object that is not linked does not have.
                    "ELF program header",
                    "ELF string section type",
                ];
                assert!(known.iter().any(|known| theirs.contains(known)), "{name}: {theirs}");
            }
            _ => {}
        }
    }
}

#[test]
fn what_both_take_the_object_crate_reads_as_we_do() {
    for Mutant { name, bytes } in mutations::all(MUTANTS, SEED) {
        let (Ok(ours), Ok(theirs)) = (Object::parse(&bytes), ElfFile64::<Endianness>::parse(&*bytes)) else { continue };
        for ours in ours.sections.iter().skip(1) {
            let theirs = theirs.section_by_index(SectionIndex(ours.index)).unwrap();
            assert_eq!(theirs.name_bytes().map(String::from_utf8_lossy), Ok(ours.name.clone()), "{name}");
            assert_eq!((theirs.data(), theirs.size()), (Ok(ours.data), ours.size), "{name}");
        }
        for section in ours.sections.iter().skip(1) {
            let theirs = theirs.section_by_index(SectionIndex(section.index)).unwrap();
            // Asked for the records of records, the crate answers with the next ones for the section that those are for.
            if [SHT_REL, SHT_RELA].contains(&theirs.elf_section_header().sh_type(Endianness::Little)) {
                continue;
            }
            let mut theirs: Vec<_> = theirs.relocations().map(|(offset, _)| offset).collect();
            theirs.sort_unstable();
            assert_eq!(section.reloc_count, theirs.len(), "{name}, records of section [{}]", section.index);
            // Those of a section for tools are counted and not kept.
            if !section.is_code && !section.is_alloc {
                theirs.clear();
            }
            let ours: Vec<_> = section.relocs.iter().map(|record| record.offset).collect();
            assert_eq!(ours, theirs, "{name}, records of section [{}]", section.index);
        }
        for (index, ours) in ours.symbols.iter().enumerate().skip(1) {
            let theirs = theirs.symbol_by_index(SymbolIndex(index)).unwrap();
            assert_eq!(theirs.name_bytes().map(String::from_utf8_lossy), Ok(ours.name.clone()), "{name}");
            assert_eq!((theirs.address(), theirs.size()), (ours.value, ours.size), "{name}");
        }
    }
}
