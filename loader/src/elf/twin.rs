//! Big-endian objects (clang --target=bpfeb), read by way of a little-endian twin: the same file with every number turned around.
//!
//! Such an object runs on a big-endian machine only, but it can be explained on any. Turned around are the ELF header, section
//! headers, symbols and relocation records, slots, BTF and map definitions. The values of global variables stay as they
//! are: their types are not looked at here.
//!
//! ```text
//! slot   code, dst:4 src:4, off, imm, the latter two big-endian:   18 10 00 00 00 00 00 04
//! twin   code, src:4 dst:4, off, imm, the latter two little-endian: 18 01 00 00 04 00 00 00
//! ```
//!
//! Source: `struct bpf_insn`, `include/uapi/linux/bpf.h`, whose bit fields swap with the byte order.

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader};

use super::{ElfError, Object, limits};

/// Widths of the numbers of the ELF header behind the sixteen bytes of `e_ident`.
const HEADER: [usize; 13] = [2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2];
const SECTION_HEADER: [usize; 10] = [4, 4, 8, 8, 8, 8, 4, 4, 8, 8];
const SYMBOL: [usize; 6] = [4, 1, 1, 2, 8, 8];
const REL: [usize; 2] = [8, 8];
const RELA: [usize; 3] = [8, 8, 8];
const SLOT: [usize; 4] = [1, 1, 2, 4];
const WORD: [usize; 1] = [4];
const POINTER: [usize; 1] = [8];
/// The header of BTF: magic, version and flags; the rest are words.
const BTF_START: [usize; 3] = [2, 1, 1];
/// Bytes of a header of BTF, of which the last two words tell where the strings are.
const BTF_HEADER: usize = 24;

impl<'data> Object<'data> {
    /// The little-endian twin of a big-endian object; `None` if the file is none. [`Object::parse_twin`] reads it.
    ///
    /// # Errors
    ///
    /// The section header table lies outside the file.
    pub fn twin(data: &[u8]) -> Result<Option<Vec<u8>>, ElfError> {
        let is_big = data.starts_with(&elf::ELFMAG) && data.get(4..6) == Some(&[elf::ELFCLASS64.0, elf::ELFDATA2MSB.0]);
        if !is_big {
            return Ok(None);
        }
        let sections = sections(data)?;
        let mut twin = Twin(data.to_vec());
        if let Some(order) = twin.0.get_mut(5) {
            *order = elf::ELFDATA2LSB.0;
        }
        twin.turn(16, &HEADER, 1);
        for section in &sections {
            twin.turn(section.header, &SECTION_HEADER, 1);
            twin.contents(section);
        }
        Ok(Some(twin.0))
    }

    /// Reads a twin.
    ///
    /// # Errors
    ///
    /// As [`Object::parse`].
    pub fn parse_twin(twin: &'data [u8]) -> Result<Self, ElfError> {
        Ok(Self { is_big_endian: true, ..Self::parse(twin)? })
    }
}

/// A section of the big-endian file.
struct Section<'data> {
    /// Where its header begins.
    header: usize,
    name: &'data [u8],
    kind: elf::SectionType,
    is_code: bool,
    /// Where its bytes begin, and how many there are.
    start: usize,
    size: usize,
}

fn sections(data: &[u8]) -> Result<Vec<Section<'_>>, ElfError> {
    let malformed = |error: object::Error| ElfError::malformed("section header table", error);
    let header = FileHeader64::<Endianness>::parse(data).map_err(malformed)?;
    let endian = Endianness::Big;
    let table = header.sections(endian, data).map_err(malformed)?;
    limits::of_sections(endian, table.iter(), data)?;
    let first = header.e_shoff(endian) as usize;
    let read = |(index, section): (usize, &elf::SectionHeader64<Endianness>)| Section {
        header: first.saturating_add(index * SECTION_HEADER.iter().sum::<usize>()),
        name: table.section_name(endian, section).unwrap_or_default(),
        kind: section.sh_type(endian),
        is_code: section.sh_flags(endian).0 & elf::SHF_EXECINSTR.0 != 0,
        start: section.sh_offset(endian) as usize,
        size: section.data(endian, data).map_or(0, <[u8]>::len),
    };
    Ok(table.iter().enumerate().map(read).collect())
}

/// The file that is being turned around.
struct Twin(Vec<u8>);

impl Twin {
    /// Turns around `count` records at byte `at`, which are made of numbers of these widths.
    fn turn(&mut self, at: usize, widths: &[usize], count: usize) {
        let size: usize = widths.iter().sum();
        let bytes = self.0.get_mut(at..).unwrap_or_default();
        for record in bytes.chunks_exact_mut(size).take(count) {
            let mut rest = record;
            for width in widths {
                let Some((number, after)) = rest.split_at_mut_checked(*width) else { break };
                number.reverse();
                rest = after;
            }
        }
    }

    /// Turns around what a section holds.
    fn contents(&mut self, section: &Section<'_>) {
        let Section { start, size, .. } = *section;
        match section.kind {
            elf::SHT_SYMTAB => self.turn(start, &SYMBOL, size / 24),
            elf::SHT_REL => self.turn(start, &REL, size / 16),
            elf::SHT_RELA => self.turn(start, &RELA, size / 24),
            elf::SHT_PROGBITS if section.is_code => {
                self.turn(start, &SLOT, size / 8);
                let slots = self.0.get_mut(start..start.saturating_add(size)).unwrap_or_default();
                slots
                    .chunks_exact_mut(8)
                    .filter_map(|slot| slot.get_mut(1))
                    .for_each(|regs| *regs = regs.rotate_left(4));
            }
            elf::SHT_PROGBITS => match section.name {
                b".BTF" => self.types(start, size),
                b".BTF.ext" => {
                    self.turn(start, &BTF_START, 1);
                    self.turn(start.saturating_add(4), &WORD, size.saturating_sub(4) / 4);
                }
                b".maps" => self.turn(start, &POINTER, size / 8),
                name if name == b"maps" || name.starts_with(b"maps/") => self.turn(start, &WORD, size / 4),
                _ => {}
            },
            _ => {}
        }
    }

    /// Turns around the words of a `.BTF` section, up to its strings.
    fn types(&mut self, start: usize, size: usize) {
        let word = |at: usize| {
            let word = self.0.get(start.saturating_add(at)..).and_then(|rest| rest.first_chunk());
            word.map_or(0, |word| u32::from_be_bytes(*word) as usize)
        };
        // Where the types end, from the start of the section: header, then the offset and length that it tells.
        let end = word(4).saturating_add(word(8)).saturating_add(word(12)).min(size);
        self.turn(start, &BTF_START, 1);
        let words = end.max(BTF_HEADER.min(size)).saturating_sub(4) / 4;
        self.turn(start.saturating_add(4), &WORD, words);
    }
}
