//! The record that a hole came from, found again in the object.

use serde::Serialize;

use super::Bytes;
use super::headers::{Header, SHT_RELA};
use crate::btf::ext::CoreRelo;
use crate::elf::{RelocRecord, Section, SymbolPlace};
use crate::insn::Insn;
use crate::plan::Piece;
use crate::spec::Spec;

/// What told the loader of a hole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Record {
    /// A relocation record.
    Elf {
        /// The section of records.
        section: String,
        /// Where the record lies in the file, in bytes; `None` if it is not found again.
        file_offset: Option<u64>,
        /// Its bytes.
        bytes: Bytes,
        /// Bytes from the start of the patched section.
        r_offset: u64,
        /// Its type, by number.
        r_type: u32,
        /// Its type, by name.
        r_type_name: String,
        /// The symbol's number.
        symbol: usize,
        /// The symbol's name; the section's for a section symbol.
        name: String,
        /// Where the symbol is defined: `.bss + 0x8`.
        place: String,
    },
    /// A CO-RE record of `.BTF.ext`.
    Core {
        /// Bytes from the start of the patched section.
        insn_off: u32,
        /// The type in the object's BTF.
        type_id: u32,
        /// Which part of it.
        access: String,
        /// What is wanted of that part, by name.
        kind: String,
    },
    /// None: the compiler has filled in the distance, and linking may change it.
    None,
}

/// `R_BPF_*`, by number. Source: `Documentation/bpf/llvm_reloc.rst`.
const R_TYPES: [(u32, &str); 6] = [
    (0, "R_BPF_NONE"),
    (1, "R_BPF_64_64"),
    (2, "R_BPF_64_ABS64"),
    (3, "R_BPF_64_ABS32"),
    (4, "R_BPF_64_NODYLD32"),
    (10, "R_BPF_64_32"),
];

/// `enum bpf_core_relo_kind`, by number. Source: `include/uapi/linux/bpf.h`.
const CORE_KINDS: [&str; 13] = [
    "BPF_CORE_FIELD_BYTE_OFFSET",
    "BPF_CORE_FIELD_BYTE_SIZE",
    "BPF_CORE_FIELD_EXISTS",
    "BPF_CORE_FIELD_SIGNED",
    "BPF_CORE_FIELD_LSHIFT_U64",
    "BPF_CORE_FIELD_RSHIFT_U64",
    "BPF_CORE_TYPE_ID_LOCAL",
    "BPF_CORE_TYPE_ID_TARGET",
    "BPF_CORE_TYPE_EXISTS",
    "BPF_CORE_TYPE_SIZE",
    "BPF_CORE_ENUMVAL_EXISTS",
    "BPF_CORE_ENUMVAL_VALUE",
    "BPF_CORE_TYPE_MATCHES",
];

/// Bytes of an `Elf64_Rel`, and of an `Elf64_Rela`.
const REL_SIZE: usize = 16;
const RELA_SIZE: usize = 24;

/// Finds the record of a slot, which lies in `piece`.
pub(super) fn of(spec: &Spec<'_>, headers: &[Header], piece: &Piece, insn: usize) -> Record {
    let offset = piece.place.offset + (insn.saturating_sub(piece.at) * Insn::SIZE) as u64;
    let Some(section) = spec.object.sections.get(piece.place.section) else { return Record::None };
    if let Ok(number) = section.relocs.binary_search_by_key(&offset, |record| record.offset) {
        return of_elf(spec, headers, section, number);
    }
    let core = spec.core_relos.get(&section.index).map_or(&[][..], Vec::as_slice);
    match core.binary_search_by_key(&offset, |record| record.insn_off.into()).map(|number| core.get(number)) {
        Ok(Some(record)) => of_core(spec, record),
        _ => Record::None,
    }
}

fn of_elf(spec: &Spec<'_>, headers: &[Header], target: &Section<'_>, number: usize) -> Record {
    let object = spec.object;
    let Some(record) = target.relocs.get(number) else { return Record::None };
    let (symbol_name, place) = match object.symbols.get(record.symbol) {
        Some(symbol) => {
            let section = object.section_of(symbol).map_or("", |section| section.name.as_ref());
            let place = match symbol.place {
                SymbolPlace::Section(_) => format!("{section} + {:#x}", symbol.value),
                _ => "not defined here".to_owned(),
            };
            let name = if symbol.name.is_empty() { section } else { symbol.name.as_ref() };
            (name.to_owned(), place)
        }
        None => (String::new(), String::new()),
    };
    let raw = raw(spec, headers, target.index, record, number);
    let r_type_name = R_TYPES.iter().find(|(number, _)| *number == record.r_type);
    Record::Elf {
        section: raw.map_or_else(String::new, |(section, ..)| section.name.to_string()),
        file_offset: raw.map(|(_, at, _)| at),
        bytes: Bytes(raw.map_or_else(Vec::new, |(.., bytes)| bytes.to_vec())),
        r_offset: record.offset,
        r_type: record.r_type,
        r_type_name: r_type_name.map_or_else(|| record.r_type.to_string(), |(_, name)| (*name).to_owned()),
        symbol: record.symbol,
        name: symbol_name,
        place,
    }
}

/// The record's own bytes: their section, where they lie in the file, and what they are. `number`: where it stands if the
/// section's records are in order, as they are in what clang writes.
fn raw<'s, 'data>(
    spec: &'s Spec<'data>,
    headers: &[Header],
    target: usize,
    record: &RelocRecord,
    number: usize,
) -> Option<(&'s Section<'data>, u64, &'data [u8])> {
    let info = (record.symbol as u64) << 32 | u64::from(record.r_type);
    let start: Vec<u8> = [record.offset, info].into_iter().flat_map(u64::to_le_bytes).collect();
    spec.object.sections.iter().zip(headers).find_map(|(section, header)| {
        if !header.is_reloc() || header.info as usize != target {
            return None;
        }
        let size = if header.sh_type == SHT_RELA { RELA_SIZE } else { REL_SIZE };
        let at = number.checked_mul(size)?;
        let bytes = section.data.get(at..at.checked_add(size)?).filter(|bytes| bytes.starts_with(&start))?;
        Some((section, section.file_offset.saturating_add(at as u64), bytes))
    })
}

fn of_core(spec: &Spec<'_>, record: &CoreRelo) -> Record {
    let access = spec.btf.as_ref().and_then(|btf| btf.string(record.access_str_off)).unwrap_or_default();
    let kind = CORE_KINDS.get(record.kind as usize);
    Record::Core {
        insn_off: record.insn_off,
        type_id: record.type_id,
        access: access.to_owned(),
        kind: kind.map_or_else(|| record.kind.to_string(), |kind| (*kind).to_owned()),
    }
}
