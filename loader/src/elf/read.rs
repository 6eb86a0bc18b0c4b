//! The reading itself: header, sections, symbols, relocation records, in this order.

use std::borrow::Cow;

use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, Rel, Rela, SectionHeader, SectionTable, Sym};
use object::{Endianness, SectionIndex, SymbolIndex};

use super::bytes::Bytes;
use super::limits::{self, Names};
use super::{ElfError, Object, RelocRecord, Section, Symbol, SymbolKind, SymbolPlace};

impl<'data> Object<'data> {
    /// Reads an object.
    ///
    /// # Errors
    ///
    /// [`ElfError`] says which header, section, symbol or record is wrong.
    pub fn parse(file: &'data [u8]) -> Result<Self, ElfError> {
        let (header, data) = (check_header(file)?, Bytes(file));
        let endian = Endianness::Little;
        let table = header.sections(endian, data).map_err(|e| ElfError::malformed("section header table", e))?;

        limits::of_sections(endian, table.iter(), file)?;
        let mut names = Names::of(file);

        let mut sections = Vec::with_capacity(table.len());
        for (index, section) in table.iter().enumerate() {
            sections.push(read_section(&table, SectionIndex(index), section, data, &mut names)?);
        }
        let symbols = read_symbols(&table, sections.len(), data, &mut names)?;
        read_relocs(&table, data, &mut sections, symbols.len())?;
        let mut in_section = vec![Vec::new(); sections.len()];
        for (index, symbol) in symbols.iter().enumerate() {
            if let SymbolPlace::Section(section) = symbol.place
                && let Some(indices) = in_section.get_mut(section)
            {
                indices.push(index);
            }
        }
        Ok(Self { file_size: file.len(), is_big_endian: false, sections, symbols, in_section })
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
            return not_bpf(
                "byte order",
                "big-endian (bpfeb)".to_owned(),
                "little-endian (clang --target=bpfel), or its twin",
            );
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
type Table<'data> = SectionTable<'data, FileHeader64<Endianness>, Bytes<'data>>;

fn read_section<'data>(
    table: &Table<'data>,
    index: SectionIndex,
    header: &'data Header,
    data: Bytes<'data>,
    names: &mut Names,
) -> Result<Section<'data>, ElfError> {
    let endian = Endianness::Little;
    let place = |what: &str| format!("section [{}] {what}", index.0);
    // The null section's name offset is 0, and a file may have no name table at all.
    let name = match table.section_name(endian, header) {
        Ok(name) => names.lossy(|| place("name"), name)?,
        Err(_) if index.0 == 0 => Cow::Borrowed(""),
        Err(e) => return Err(ElfError::malformed(place("name"), e)),
    };
    let flags = header.sh_flags(endian).0;
    let is_nobits = header.sh_type(endian) == elf::SHT_NOBITS;
    let bytes = header.data(endian, data).map_err(|_| {
        let (start, size) = (header.sh_offset(endian), header.sh_size(endian));
        let problem = format!("{size} bytes at {start:#x} lie outside the file of {} bytes", data.0.len());
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
        reloc_count: 0,
    })
}

fn read_symbols<'data>(
    table: &Table<'data>,
    section_count: usize,
    data: Bytes<'data>,
    names: &mut Names,
) -> Result<Vec<Symbol<'data>>, ElfError> {
    let endian = Endianness::Little;
    let symbols =
        table.symbols(endian, data, elf::SHT_SYMTAB).map_err(|e| ElfError::malformed("symbol table (.symtab)", e))?;
    if symbols.is_empty() {
        return Err(ElfError::NoSymbols);
    }
    limits::of_symbols(symbols.len())?;
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
            name: names.lossy(|| format!("symbol {index}"), name)?,
            kind,
            place,
            value: symbol.st_value(endian),
            size: symbol.st_size(endian),
            is_local: symbol.is_local(),
            is_weak: symbol.is_weak(),
            is_hidden: matches!(symbol.st_visibility(), elf::STV_HIDDEN | elf::STV_INTERNAL),
        });
    }
    Ok(read)
}

/// Hangs each relocation record on the section that it patches (`sh_info` of the `SHT_REL` or `SHT_RELA` section).
fn read_relocs<'data>(
    table: &Table<'data>,
    data: Bytes<'data>,
    sections: &mut [Section<'data>],
    symbol_count: usize,
) -> Result<(), ElfError> {
    let endian = Endianness::Little;
    let symtab = table.iter().position(|header| header.sh_type(endian) == elf::SHT_SYMTAB);
    for (index, header) in table.iter().enumerate() {
        let (link, info) = (header.sh_link(endian), header.sh_info(endian));
        let section = RelocSection { index, link, info, symtab, symbol_count };
        if let Some((rels, _)) = header.rel(endian, data).map_err(|e| section.malformed(e))? {
            section.hang(sections, rels, |rel| RelocRecord {
                offset: rel.r_offset(endian),
                r_type: rel.r_type(endian).0,
                symbol: rel.r_sym(endian) as usize,
                addend: None,
            })?;
        } else if let Some((relas, _)) = header.rela(endian, data).map_err(|e| section.malformed(e))? {
            section.hang(sections, relas, |rela| RelocRecord {
                offset: rela.r_offset(endian),
                r_type: rela.r_type(endian, false).0,
                symbol: rela.r_sym(endian, false) as usize,
                addend: Some(rela.r_addend(endian)),
            })?;
        }
    }
    Ok(())
}

/// A relocation section: its number, the section of the symbols that its records name, and the one that they patch; and what there is to name.
struct RelocSection {
    index: usize,
    link: u32,
    info: u32,
    symtab: Option<usize>,
    symbol_count: usize,
}

impl RelocSection {
    fn malformed(&self, problem: impl ToString) -> ElfError {
        ElfError::malformed(format!("relocation section [{}]", self.index), problem)
    }

    /// Checks the records, and keeps those that a loader needs.
    fn hang<R>(
        &self,
        sections: &mut [Section<'_>],
        records: &[R],
        read: impl Fn(&R) -> RelocRecord,
    ) -> Result<(), ElfError> {
        if self.symtab != Some(self.link as usize) {
            return Err(self.malformed(format!("names symbols of section {}, which is not .symtab", self.link)));
        }
        let Some(target) = sections.get_mut(self.info as usize) else {
            return Err(self.malformed(format!("patches section {}, which does not exist", self.info)));
        };
        let symbols = self.symbol_count;
        if let Some((number, symbol)) = records.iter().map(|r| read(r).symbol).enumerate().find(|(_, s)| *s >= symbols)
        {
            let problem = format!("names symbol {symbol}, but there are only {symbols}");
            let place = format!("relocation section [{}] `{}`, record {number}", self.index, target.name);
            return Err(ElfError::malformed(place, problem));
        }
        target.reloc_count += records.len();
        if target.is_code || target.is_alloc {
            target.relocs.extend(records.iter().map(read));
            target.relocs.sort_by_key(|record| record.offset);
        }
        Ok(())
    }
}
