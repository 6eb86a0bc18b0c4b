//! An ELF file, built piece by piece.

use object::elf::RelocationType;
use object::write::{self, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use super::Types;

/// An ELF file for BPF: REL records, little-endian.
pub(crate) struct Elf(pub(crate) write::Object<'static>);

impl Elf {
    pub(crate) fn new() -> Self {
        Self(write::Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little))
    }

    pub(crate) fn section(&mut self, name: &str, kind: SectionKind, bytes: &[u8]) -> SectionId {
        let section = self.0.add_section(vec![], name.into(), kind);
        self.0.append_section_data(section, bytes, 8);
        section
    }

    /// A code section.
    pub(crate) fn code(&mut self, name: &str, bytes: &[u8]) -> SectionId {
        self.section(name, SectionKind::Text, bytes)
    }

    /// A code section that is one global function.
    pub(crate) fn program(&mut self, section: &str, name: &str, bytes: &[u8]) -> SectionId {
        let id = self.code(section, bytes);
        self.func(id, name, 0, bytes.len() as u64);
        id
    }

    /// A section of variables.
    pub(crate) fn data(&mut self, name: &str, bytes: &[u8]) -> SectionId {
        self.section(name, SectionKind::Data, bytes)
    }

    /// A section of `size` zeros that are not in the file.
    pub(crate) fn bss(&mut self, name: &str, size: u64) -> SectionId {
        let section = self.0.add_section(vec![], name.into(), SectionKind::UninitializedData);
        self.0.append_section_bss(section, size, 8);
        section
    }

    /// `.BTF`.
    pub(crate) fn btf(&mut self, types: &Types) {
        self.section(".BTF", SectionKind::Other, &types.build());
    }

    /// A global function.
    pub(crate) fn func(&mut self, section: SectionId, name: &str, offset: u64, size: u64) -> SymbolId {
        self.symbol(SymbolSection::Section(section), name, SymbolKind::Text, offset, size, SymbolScope::Dynamic)
    }

    /// A `static` function; clang's records name the section in its stead.
    pub(crate) fn static_func(&mut self, section: SectionId, name: &str, offset: u64, size: u64) -> SymbolId {
        self.symbol(SymbolSection::Section(section), name, SymbolKind::Text, offset, size, SymbolScope::Compilation)
    }

    /// A global variable or map.
    pub(crate) fn var(&mut self, section: SectionId, name: &str, offset: u64, size: u64) -> SymbolId {
        self.symbol(SymbolSection::Section(section), name, SymbolKind::Data, offset, size, SymbolScope::Dynamic)
    }

    /// A `static` variable or map; clang's records name the section in its stead.
    pub(crate) fn static_var(&mut self, section: SectionId, name: &str, offset: u64, size: u64) -> SymbolId {
        self.symbol(SymbolSection::Section(section), name, SymbolKind::Data, offset, size, SymbolScope::Compilation)
    }

    pub(crate) fn symbol(
        &mut self,
        section: SymbolSection,
        name: &str,
        kind: SymbolKind,
        value: u64,
        size: u64,
        scope: SymbolScope,
    ) -> SymbolId {
        let name = name.into();
        self.0.add_symbol(Symbol { name, value, size, kind, scope, weak: false, section, flags: SymbolFlags::None })
    }

    /// A symbol that is declared and not defined.
    pub(crate) fn undefined(&mut self, name: &str, weak: bool) -> SymbolId {
        let scope = SymbolScope::Dynamic;
        let id = self.symbol(SymbolSection::Undefined, name, SymbolKind::Unknown, 0, 0, scope);
        self.0.symbol_mut(id).weak = weak;
        id
    }

    /// The symbol that stands for a section: nameless, at its start.
    pub(crate) fn section_symbol(&mut self, section: SectionId) -> SymbolId {
        self.0.section_symbol(section)
    }

    /// At this byte of the section something about the symbol is to be filled in.
    pub(crate) fn reloc(&mut self, section: SectionId, offset: u64, r_type: u32, symbol: SymbolId) {
        let flags = RelocationFlags::Elf { r_type: RelocationType(r_type) };
        self.0.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).expect("a record");
    }

    /// The file.
    pub(crate) fn build(&self) -> Vec<u8> {
        self.0.write().expect("a file")
    }
}
