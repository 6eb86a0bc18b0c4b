//! The fields of the section headers that linking does not need, but a reader wants to see.

use object::Endianness;
use object::elf::{FileHeader64, SectionHeader64};
use object::read::elf::{FileHeader, SectionHeader};

/// What else a section header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Header {
    /// SHT_*.
    pub(super) sh_type: u32,
    /// SHF_*.
    pub(super) flags: u64,
    /// For relocation records: the section that they patch.
    pub(super) info: u32,
}

pub(super) const SHT_SYMTAB: u32 = 2;
pub(super) const SHT_STRTAB: u32 = 3;
pub(super) const SHT_RELA: u32 = 4;
pub(super) const SHT_REL: u32 = 9;

/// The names of SHT_*, as readelf writes them. Source: `include/uapi/linux/elf.h`; the last is LLVM's.
const TYPES: [(u32, &str); 11] = [
    (0, "NULL"),
    (1, "PROGBITS"),
    (SHT_SYMTAB, "SYMTAB"),
    (SHT_STRTAB, "STRTAB"),
    (SHT_RELA, "RELA"),
    (7, "NOTE"),
    (8, "NOBITS"),
    (SHT_REL, "REL"),
    (17, "GROUP"),
    (18, "SYMTAB_SHNDX"),
    (0x6fff_4c03, "LLVM_ADDRSIG"),
];

/// The letters of SHF_*, as readelf writes them.
const FLAGS: [(u64, char); 10] = [
    (0x1, 'W'),
    (0x2, 'A'),
    (0x4, 'X'),
    (0x10, 'M'),
    (0x20, 'S'),
    (0x40, 'I'),
    (0x80, 'L'),
    (0x200, 'G'),
    (0x400, 'T'),
    (0x8000_0000, 'E'),
];

/// Reads the headers again; none if they are not to be found, which the object's own reading has refused before.
pub(super) fn read(bytes: &[u8]) -> Vec<Header> {
    let endian = Endianness::Little;
    let header = FileHeader64::<Endianness>::parse(bytes);
    let Ok(sections) = header.and_then(|header| header.sections(endian, bytes)) else { return Vec::new() };
    let read = |section: &SectionHeader64<Endianness>| Header {
        sh_type: section.sh_type(endian).0,
        flags: section.sh_flags(endian).0,
        info: section.sh_info(endian),
    };
    sections.iter().map(read).collect()
}

impl Header {
    /// `PROGBITS`; a type without a name stays a number.
    pub(super) fn type_name(&self) -> String {
        let name = TYPES.iter().find(|(number, _)| *number == self.sh_type);
        name.map_or_else(|| format!("{:#x}", self.sh_type), |(_, name)| (*name).to_owned())
    }

    /// `AX`.
    pub(super) fn flag_letters(&self) -> String {
        FLAGS.iter().filter(|(bit, _)| self.flags & bit != 0).map(|(_, letter)| letter).collect()
    }

    /// Whether the section holds relocation records.
    pub(super) fn is_reloc(&self) -> bool {
        matches!(self.sh_type, SHT_REL | SHT_RELA)
    }
}
