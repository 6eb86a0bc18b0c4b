//! Bytes → [`Object`]: what the file says, not yet what it means.
//!
//! An object for BPF is an ordinary relocatable ELF64 file (`e_type` = `ET_REL`, `e_machine` = 247). Four kinds of section
//! matter to a loader: code (`SHF_EXECINSTR`), data, the symbol table, and the relocation records, each of which says "at
//! this offset of that section, something about this symbol must be filled in".
//!
//! Sections and symbols keep the file's own numbers, so that an error and `readelf` speak of the same thing.
//!
//! The `object` crate finds the tables and checks that they lie inside the file; every reference from one table into
//! another is checked here, once.

mod bytes;
mod limits;
mod read;
mod twin;

use std::borrow::Cow;

use thiserror::Error;

/// A file that cannot be read as a BPF object.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum ElfError {
    /// The four magic bytes are missing.
    #[error("not an ELF file: it starts with {found}, expected 7f 45 4c 46")]
    NotElf {
        /// The first bytes, in hex.
        found: String,
    },
    /// ELF, but for another machine or of another type.
    #[error("not a BPF object: {what} is {found}, expected {expected}")]
    NotBpf {
        /// The field of the ELF header.
        what: &'static str,
        /// Its value.
        found: String,
        /// What a BPF object has there.
        expected: &'static str,
    },
    /// No symbol names a function or a map.
    #[error("symbol table (.symtab): missing: was the object stripped?")]
    NoSymbols,
    /// A table lies outside the file, or contradicts another.
    #[error("{place}: {problem}")]
    Malformed {
        /// The header, section, symbol or record.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl ElfError {
    fn malformed(place: impl Into<String>, problem: impl ToString) -> Self {
        Self::Malformed { place: place.into(), problem: problem.to_string() }
    }
}

/// A BPF object file; sections and symbols borrow from its bytes.
#[derive(Debug)]
pub struct Object<'data> {
    /// Bytes in the file.
    pub file_size: usize,
    /// Whether it is the twin of a big-endian object, which no little-endian machine can run.
    pub is_big_endian: bool,
    /// All sections, at their ELF index; entry 0 is the null section.
    pub sections: Vec<Section<'data>>,
    /// All symbols, at their ELF index; entry 0 is the null symbol.
    pub symbols: Vec<Symbol<'data>>,
    /// By section: the indices of the symbols in it.
    in_section: Vec<Vec<usize>>,
}

/// One section.
#[derive(Debug, Clone)]
pub struct Section<'data> {
    /// Its number in the section header table.
    pub index: usize,
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: Cow<'data, str>,
    /// Where its bytes begin in the file.
    pub file_offset: u64,
    /// Its bytes: empty for `SHT_NOBITS` (`.bss`), which has a size but nothing in the file.
    pub data: &'data [u8],
    /// Its size in memory, in bytes.
    pub size: u64,
    /// Whether it is `SHT_NOBITS`: all zero and not in the file.
    pub is_nobits: bool,
    /// `SHF_EXECINSTR`: it holds instructions.
    pub is_code: bool,
    /// `SHF_ALLOC`: it belongs to the program, not to tools.
    pub is_alloc: bool,
    /// The records that patch this section, by ascending offset. Those of a section for tools (`.BTF.ext`, `.debug_info`) are
    /// checked and counted, not kept: a loader has no use for them, and they are nine of ten.
    pub relocs: Vec<RelocRecord>,
    /// How many records patch this section, those that are not kept included.
    pub reloc_count: usize,
}

/// One symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol<'data> {
    /// Its name; empty for a section symbol.
    pub name: Cow<'data, str>,
    /// What it names.
    pub kind: SymbolKind,
    /// Where it is defined.
    pub place: SymbolPlace,
    /// Its offset into that section, in bytes.
    pub value: u64,
    /// Its size in bytes; 0 if unknown.
    pub size: u64,
    /// `STB_LOCAL`: `static` in C.
    pub is_local: bool,
    /// `STB_WEAK`.
    pub is_weak: bool,
    /// `STV_HIDDEN` or `STV_INTERNAL`: no other object may name it.
    pub is_hidden: bool,
}

/// STT_*: what a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// `STT_FUNC`.
    Func,
    /// `STT_OBJECT`: a variable or a map.
    Object,
    /// `STT_SECTION`: the section itself.
    Section,
    /// `STT_NOTYPE` (labels, externs, all code of old clang) and the rest.
    Other,
}

/// Where a symbol is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolPlace {
    /// In this section of the object; the index is checked.
    Section(usize),
    /// `SHN_UNDEF`: an extern.
    Undefined,
    /// `SHN_COMMON`: an uninitialised global of `-fcommon`.
    Common,
    /// `SHN_ABS` and what else has no section.
    Absolute,
}

/// One relocation record (`Elf64_Rel` or `Elf64_Rela`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelocRecord {
    /// Byte offset into the section to patch.
    pub offset: u64,
    /// `R_BPF_64_64` (1), `R_BPF_64_32` (10), `R_BPF_64_NODYLD32` (4) …
    pub r_type: u32,
    /// Index of the symbol; checked.
    pub symbol: usize,
    /// The addend of a RELA record; a REL record has none, its addend lies in the bytes to be patched.
    pub addend: Option<i64>,
}

impl<'data> Object<'data> {
    /// The first section of this name.
    pub fn section_named(&self, name: &str) -> Option<&Section<'data>> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The section a symbol is defined in.
    pub fn section_of(&self, symbol: &Symbol<'_>) -> Option<&Section<'data>> {
        match symbol.place {
            SymbolPlace::Section(index) => self.sections.get(index),
            _ => None,
        }
    }

    /// The names of what is `__hidden` in a section: what other objects may not refer to.
    pub fn hidden_in(&self, section: usize) -> impl Iterator<Item = &str> {
        self.symbols_in(section).filter(|symbol| symbol.is_hidden).map(|symbol| symbol.name.as_ref())
    }

    /// The symbols defined in a section, other than the section symbol.
    pub fn symbols_in(&self, section: usize) -> impl Iterator<Item = &Symbol<'data>> {
        let indices = self.in_section.get(section).into_iter().flatten();
        indices.filter_map(|index| self.symbols.get(*index)).filter(|symbol| symbol.kind != SymbolKind::Section)
    }
}

#[cfg(test)]
mod tests;
