//! `.BTF` and `.BTF.ext`.

use minibpf::btf::ext::BtfExt;
use minibpf::btf::layout::Layout;
use minibpf::btf::{Btf, encode, search};
use minibpf::plan::BtfLoad;

use super::claims::names_a_place;

/// Types whose values are laid out and read: a hostile section has as many as it has dozens of bytes.
const LAID_OUT: u32 = 16;
/// Bytes of a value that is read.
const VALUE: usize = 256;

/// All that is asked of types: each decoded, resolved, measured, laid out, read and written, found by name, and made simpler.
pub(super) fn btf(data: &[u8]) {
    let btf = match Btf::parse(data) {
        Ok(btf) => btf,
        Err(error) => return names_a_place(&error.to_string()),
    };
    for id in 0..=btf.type_count().saturating_add(1) {
        if let Err(error) = btf.get(id) {
            names_a_place(&error.to_string());
        }
    }
    for id in 0..=btf.type_count().min(LAID_OUT) {
        let _ = btf.resolve(id);
        let _ = btf.size_of(id);
        let layout = Layout::of(&btf, id);
        let text = layout.read(&data[..data.len().min(VALUE)]).to_string();
        assert!(text.len() < 1 << 22, "a value of {VALUE} bytes is {} bytes of text", text.len());
        for value in ["-1", "true", "0x7f", "\"text\"", "{1, 2}"] {
            if let Err(error) = encode::encode(&btf, id, value) {
                names_a_place(&error.to_string());
            }
        }
    }
    let _ = btf.datasec(".data");
    let names = btf.types().map(|(_, ty)| search::essential(ty.name).to_owned()).take(LAID_OUT as usize);
    let search = search::Search::new(data, names).expect("it was read once");
    for (_, ty) in btf.types().take(LAID_OUT as usize) {
        search.named(search::essential(ty.name), &[1, 4, 5, 6, 8, 19]);
    }
    sanitized(data);
}

/// Simpler types are types.
fn sanitized(data: &[u8]) {
    let load = BtfLoad { btf: data.to_vec() };
    if let Some(simpler) = load.sanitized() {
        assert_eq!(simpler.btf.len(), load.btf.len());
        Btf::parse(&simpler.btf).expect("simpler types can be read");
    }
}

/// A `.BTF` whose length the first two bytes tell, then a `.BTF.ext`.
pub(super) fn ext(data: &[u8]) {
    let Some((types, records)) = split(data) else { return };
    let Ok(btf) = Btf::parse(types) else { return };
    match BtfExt::parse(records, &btf) {
        Ok(ext) => {
            let records = ext.funcs.iter().map(|section| section.records.len()).sum::<usize>()
                + ext.lines.iter().map(|section| section.records.len()).sum::<usize>()
                + ext.core_relos.iter().map(|section| section.records.len()).sum::<usize>();
            // Three parts may be the same bytes; the smallest record has eight.
            assert!(records * 8 <= data.len() * 3, "{records} records in {} bytes", data.len());
        }
        Err(error) => names_a_place(&error.to_string()),
    }
}

/// Two inputs in one: the first two bytes are the length of the first.
pub(super) fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}
