//! `.BTF.ext`: the records that name slots.

use super::Types;

/// The records of one section: its name, and each record's words.
pub(crate) type Records<'a, const WORDS: usize> = (&'a str, &'a [[u32; WORDS]]);

/// `.BTF.ext`; the names of the sections are added to the strings of `types`.
pub(crate) fn btf_ext(
    types: &mut Types,
    funcs: &[Records<'_, 2>],
    lines: &[Records<'_, 4>],
    core: &[Records<'_, 4>],
) -> Vec<u8> {
    let parts = [part(types, funcs), part(types, lines), part(types, core)];
    let mut words = vec![0x0001_eb9f, 32]; // magic and version, header length
    let mut offset = 0;
    for part in &parts {
        let len = part.len() as u32 * 4;
        words.extend([offset, len]);
        offset += len;
    }
    words.into_iter().chain(parts.concat()).flat_map(u32::to_le_bytes).collect()
}

/// The size of a record, then for each section its name, the number of records, the records.
fn part<const WORDS: usize>(types: &mut Types, sections: &[Records<'_, WORDS>]) -> Vec<u32> {
    if sections.is_empty() {
        return Vec::new();
    }
    let mut words = vec![WORDS as u32 * 4];
    for (name, records) in sections {
        words.extend([types.string(name), records.len() as u32]);
        words.extend(records.as_flattened());
    }
    words
}
