//! Bytes → [`Object`]: what the file says, not yet what it means.
//!
//! An object for BPF is an ordinary relocatable ELF64 file (`e_type` = ET_REL, `e_machine` = 247). Four kinds of section
//! matter to a loader: code (SHF_EXECINSTR), data, the symbol table, and the relocation records, each of which says "at
//! this offset of that section, something about this symbol must be filled in".
//!
//! Sections and symbols keep the file's own numbers, so that an error and `readelf` speak of the same thing.
//!
//! The `object` crate finds the tables and checks that they lie inside the file; every reference from one table into
//! another is checked here, once.

use std::borrow::Cow;

use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, Rel, Rela, SectionHeader, SectionTable, Sym};
use object::{Endianness, SectionIndex, SymbolIndex};
use thiserror::Error;

/// A file that cannot be read as a BPF object.
#[derive(Debug, Error, PartialEq, Eq)]
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
    /// All sections, at their ELF index; entry 0 is the null section.
    pub sections: Vec<Section<'data>>,
    /// All symbols, at their ELF index; entry 0 is the null symbol.
    pub symbols: Vec<Symbol<'data>>,
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
    /// Its bytes: empty for SHT_NOBITS (`.bss`), which has a size but nothing in the file.
    pub data: &'data [u8],
    /// Its size in memory, in bytes.
    pub size: u64,
    /// Whether it is SHT_NOBITS: all zero and not in the file.
    pub is_nobits: bool,
    /// SHF_EXECINSTR: it holds instructions.
    pub is_code: bool,
    /// SHF_ALLOC: it belongs to the program, not to tools.
    pub is_alloc: bool,
    /// The records that patch this section, by ascending offset.
    pub relocs: Vec<RelocRecord>,
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
    /// STB_LOCAL: `static` in C.
    pub is_local: bool,
    /// STB_WEAK.
    pub is_weak: bool,
}

/// STT_*: what a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// STT_FUNC.
    Func,
    /// STT_OBJECT: a variable or a map.
    Object,
    /// STT_SECTION: the section itself.
    Section,
    /// STT_NOTYPE (labels, externs, all code of old clang) and the rest.
    Other,
}

/// Where a symbol is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolPlace {
    /// In this section of the object; the index is checked.
    Section(usize),
    /// SHN_UNDEF: an extern.
    Undefined,
    /// SHN_COMMON: an uninitialised global of `-fcommon`.
    Common,
    /// SHN_ABS and what else has no section.
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
    /// Reads an object.
    ///
    /// # Errors
    ///
    /// [`ElfError`] says which header, section, symbol or record is wrong.
    pub fn parse(data: &'data [u8]) -> Result<Self, ElfError> {
        let header = check_header(data)?;
        let endian = Endianness::Little;
        let table = header.sections(endian, data).map_err(|e| ElfError::malformed("section header table", e))?;

        let mut sections = Vec::with_capacity(table.len());
        for (index, section) in table.iter().enumerate() {
            sections.push(read_section(&table, SectionIndex(index), section, data)?);
        }
        let symbols = read_symbols(&table, sections.len(), data)?;
        read_relocs(&table, data, &mut sections, symbols.len())?;
        Ok(Self { file_size: data.len(), sections, symbols })
    }

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

    /// The symbols defined in a section, other than the section symbol.
    pub fn symbols_in(&self, section: usize) -> impl Iterator<Item = &Symbol<'data>> {
        self.symbols.iter().filter(move |s| s.place == SymbolPlace::Section(section) && s.kind != SymbolKind::Section)
    }
}

/// Refuses what is no BPF object, by the first field that says so.
fn check_header(data: &[u8]) -> Result<&FileHeader64<Endianness>, ElfError> {
    if !data.starts_with(&elf::ELFMAG) {
        let start: Vec<_> = data.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let found = if start.is_empty() { "nothing (it is empty)".to_owned() } else { start.join(" ") };
        return Err(ElfError::NotElf { found });
    }
    let not_bpf = |what, found: String, expected| Err(ElfError::NotBpf { what, found, expected });
    match data.get(4) {
        Some(&class) if class == elf::ELFCLASS64.0 => {}
        Some(class) => return not_bpf("e_ident[EI_CLASS]", class.to_string(), "2 (ELFCLASS64)"),
        None => return Err(ElfError::malformed("ELF header", format!("only {} of its 64 bytes", data.len()))),
    }
    match data.get(5) {
        Some(&encoding) if encoding == elf::ELFDATA2LSB.0 => {}
        Some(2) => {
            return not_bpf("byte order", "big-endian (bpfeb)".to_owned(), "little-endian: clang --target=bpfel");
        }
        _ => return Err(ElfError::malformed("ELF header", "e_ident[EI_DATA] is neither 1 nor 2")),
    }
    let header = FileHeader64::<Endianness>::parse(data).map_err(|e| ElfError::malformed("ELF header", e))?;
    let machine = header.e_machine(Endianness::Little);
    if machine != elf::EM_BPF && machine != elf::EM_NONE {
        return not_bpf("e_machine", machine.0.to_string(), "247 (EM_BPF): clang --target=bpf");
    }
    let kind = header.e_type(Endianness::Little);
    if kind != elf::ET_REL {
        return not_bpf("e_type", kind.0.to_string(), "1 (ET_REL): an object that is not linked");
    }
    Ok(header)
}

type Header = elf::SectionHeader64<Endianness>;
type Table<'data> = SectionTable<'data, FileHeader64<Endianness>>;

fn read_section<'data>(
    table: &Table<'data>,
    index: SectionIndex,
    header: &'data Header,
    data: &'data [u8],
) -> Result<Section<'data>, ElfError> {
    let endian = Endianness::Little;
    let place = |what: &str| format!("section [{}] {what}", index.0);
    // The null section's name offset is 0, and a file may have no name table at all.
    let name = match table.section_name(endian, header) {
        Ok(name) => String::from_utf8_lossy(name),
        Err(_) if index.0 == 0 => Cow::Borrowed(""),
        Err(e) => return Err(ElfError::malformed(place("name"), e)),
    };
    let flags = header.sh_flags(endian).0;
    let is_nobits = header.sh_type(endian) == elf::SHT_NOBITS;
    let bytes = header.data(endian, data).map_err(|_| {
        let (start, size) = (header.sh_offset(endian), header.sh_size(endian));
        let problem = format!("{size} bytes at {start:#x} lie outside the file of {} bytes", data.len());
        ElfError::malformed(format!("section [{}] `{name}`", index.0), problem)
    })?;
    Ok(Section {
        index: index.0,
        name,
        file_offset: header.sh_offset(endian),
        data: bytes,
        size: header.sh_size(endian),
        is_nobits,
        is_code: flags & elf::SHF_EXECINSTR.0 != 0,
        is_alloc: flags & elf::SHF_ALLOC.0 != 0,
        relocs: Vec::new(),
    })
}

fn read_symbols<'data>(
    table: &Table<'data>,
    section_count: usize,
    data: &'data [u8],
) -> Result<Vec<Symbol<'data>>, ElfError> {
    let endian = Endianness::Little;
    let symbols =
        table.symbols(endian, data, elf::SHT_SYMTAB).map_err(|e| ElfError::malformed("symbol table (.symtab)", e))?;
    if symbols.is_empty() {
        return Err(ElfError::malformed("symbol table (.symtab)", "missing: was the object stripped?"));
    }
    let mut read = Vec::with_capacity(symbols.len());
    for (index, symbol) in symbols.iter().enumerate() {
        let malformed = |problem: String| ElfError::malformed(format!("symbol {index}"), problem);
        let name = symbols.symbol_name(endian, symbol).map_err(|e| malformed(e.to_string()))?;
        // `symbol_section` follows SHN_XINDEX, used where there are more than 65,279 sections.
        let section = symbols.symbol_section(endian, symbol, SymbolIndex(index));
        let place = match section.map_err(|e| malformed(e.to_string()))? {
            Some(SectionIndex(section)) if section < section_count => SymbolPlace::Section(section),
            Some(SectionIndex(section)) => {
                return Err(malformed(format!("is in section {section}, but there are only {section_count}")));
            }
            None if symbol.st_shndx(endian) == elf::SHN_UNDEF => SymbolPlace::Undefined,
            None if symbol.st_shndx(endian) == elf::SHN_COMMON => SymbolPlace::Common,
            None => SymbolPlace::Absolute,
        };
        let kind = match symbol.st_type() {
            elf::STT_FUNC => SymbolKind::Func,
            elf::STT_OBJECT => SymbolKind::Object,
            elf::STT_SECTION => SymbolKind::Section,
            _ => SymbolKind::Other,
        };
        read.push(Symbol {
            name: String::from_utf8_lossy(name),
            kind,
            place,
            value: symbol.st_value(endian),
            size: symbol.st_size(endian),
            is_local: symbol.is_local(),
            is_weak: symbol.is_weak(),
        });
    }
    Ok(read)
}

/// Hangs each relocation record on the section that it patches (`sh_info` of the SHT_REL or SHT_RELA section).
fn read_relocs<'data>(
    table: &Table<'data>,
    data: &'data [u8],
    sections: &mut [Section<'data>],
    symbol_count: usize,
) -> Result<(), ElfError> {
    let endian = Endianness::Little;
    for (index, header) in table.iter().enumerate() {
        let place = format!("relocation section [{index}]");
        let mut records = Vec::new();
        if let Some((rels, _)) = header.rel(endian, data).map_err(|e| ElfError::malformed(place.as_str(), e))? {
            records.extend(rels.iter().map(|rel| RelocRecord {
                offset: rel.r_offset(endian),
                r_type: rel.r_type(endian).0,
                symbol: rel.r_sym(endian) as usize,
                addend: None,
            }));
        } else if let Some((relas, _)) =
            header.rela(endian, data).map_err(|e| ElfError::malformed(place.as_str(), e))?
        {
            records.extend(relas.iter().map(|rela| RelocRecord {
                offset: rela.r_offset(endian),
                r_type: rela.r_type(endian, false).0,
                symbol: rela.r_sym(endian, false) as usize,
                addend: Some(rela.r_addend(endian)),
            }));
        } else {
            continue;
        }
        let info = header.sh_info(endian);
        let Some(target) = sections.get_mut(info as usize) else {
            return Err(ElfError::malformed(place, format!("patches section {info}, which does not exist")));
        };
        for (number, record) in records.iter().enumerate() {
            if record.symbol >= symbol_count {
                let problem = format!("names symbol {}, but there are only {symbol_count}", record.symbol);
                return Err(ElfError::malformed(format!("{place} `{}`, record {number}", target.name), problem));
            }
        }
        target.relocs.extend(records);
        target.relocs.sort_by_key(|record| record.offset);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
