//! Maps as objects before BTF define them: `struct bpf_map_def ports SEC("maps") = { .type = … }`.
//!
//! Here the section's bytes are the definition: type, key size, value size, max entries and flags, four bytes each (20 in
//! all). Other loaders added to it, each in its own way:
//!
//! ```text
//! 20  the five fields
//! 28  + id, pinning                        iproute2's struct bpf_elf_map, in its first form
//! 36  + inner id, inner index              iproute2's, for maps in maps
//! 280 + pinning, a namespace of 256 bytes  gobpf's
//! ```
//!
//! An id and a pinning tell those loaders under which name to share the map; they do not change what it is, and do not count
//! here. An inner map does, and is refused.

use super::{MapAttr, MapOrigin, MapSpec, Place, SpecError};
use crate::elf::{Object, Section, SymbolKind};

const FIELDS: usize = 5;
/// Bytes of gobpf's definition.
const WITH_NAMESPACE: usize = 280;
/// The words after the five fields that do not count: id and pinning.
const SHARING: usize = 2;

/// Reads every map of a `maps` section: one per symbol, each reaching to the next.
pub(super) fn read(object: &Object<'_>, section: &Section<'_>, maps: &mut Vec<MapSpec>) {
    let mut symbols: Vec<_> = object
        .symbols_in(section.index)
        .filter(|symbol| symbol.kind == SymbolKind::Object || !symbol.is_local)
        .collect();
    symbols.sort_by_key(|symbol| symbol.value);
    let mut ends = symbols.iter().skip(1).map(|symbol| symbol.value);
    for symbol in &symbols {
        let end = ends.next().unwrap_or(section.data.len() as u64);
        let bytes = section.data.get(symbol.value as usize..end as usize).unwrap_or_default();
        let definition = read_words(bytes).map_err(|problem| {
            SpecError::invalid(format!("section `{}`, map `{}`", section.name, symbol.name), problem)
        });
        let place = Place { section: section.index, offset: symbol.value };
        maps.push(MapSpec::new(&symbol.name, place, end.saturating_sub(symbol.value), MapOrigin::Legacy, definition));
    }
}

/// Reads one definition.
fn read_words(bytes: &[u8]) -> Result<MapAttr, String> {
    let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let Some((&[map_type, key_size, value_size, max_entries, map_flags], rest)) = words.split_first_chunk::<FIELDS>()
    else {
        return Err(format!("{} bytes, expected at least {}", bytes.len(), FIELDS * 4));
    };
    let ignored = if bytes.len() == WITH_NAMESPACE { rest.len() } else { SHARING };
    match rest.iter().enumerate().skip(ignored).find(|(_, word)| **word != 0) {
        Some((at, word)) => Err(format!(
            "the word at byte {} is {word:#x}, expected 0: an inner map can only be defined in .maps",
            (FIELDS + at) * 4
        )),
        None => Ok(MapAttr { map_type, key_size, value_size, max_entries, map_flags, ..MapAttr::default() }),
    }
}
