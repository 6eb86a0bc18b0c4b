//! Searching a kernel's types by name: there are more than a hundred thousand, of which a few are looked at.

use super::{Btf, BtfError};

/// Bytes that every type has: name, info, and size or type.
const TYPE_SIZE: usize = 12;

impl<'data> Btf<'data> {
    /// As [`Btf::parse`], but no type is decoded, only its size counted: a kernel's BTF has more than a hundred thousand, of
    /// which a few are looked at.
    ///
    /// # Errors
    ///
    /// As [`Btf::parse`], as far as sizes show it.
    pub fn index(bytes: &'data [u8]) -> Result<Self, BtfError> {
        let mut btf = Self::parts(bytes)?;
        let mut at = 0;
        while let Some(rest) = btf.types.get(at..).filter(|rest| !rest.is_empty()) {
            btf.offsets.push(at as u32);
            at += size(btf.type_count(), rest)?;
        }
        Ok(btf)
    }

    /// The numbers of the types whose kind (BTF_KIND_*) is among `kinds` and whose name is `name`, or is that and then a
    /// flavour (`___` and what follows). Looks at names only, so a pass over a kernel's types takes about a millisecond.
    pub fn named(&self, name: &str, kinds: &[u32]) -> Vec<u32> {
        let matches = |offset: u32| {
            let ty = self.types.get(offset as usize..)?.first_chunk::<8>()?;
            let [name0, name1, name2, name3, _, _, _, info3] = *ty;
            let text = self.strings.get(u32::from_le_bytes([name0, name1, name2, name3]) as usize..)?;
            let rest = text.strip_prefix(name.as_bytes())?;
            let same = rest.first() == Some(&0) || rest.starts_with(b"___");
            Some(same && kinds.contains(&u32::from(info3 & 0x1f)))
        };
        let found = self.offsets.iter().zip(1..).filter(|(offset, _)| matches(**offset) == Some(true));
        found.map(|(_, id)| id).collect()
    }
}

/// Bytes of the type that begins at `bytes`, whose kind decides what follows the first twelve.
fn size(id: u32, bytes: &[u8]) -> Result<usize, BtfError> {
    let cut_short = || BtfError::new(format!("type {id}"), "ends outside the type part");
    let info = bytes.get(4..).and_then(|rest| rest.first_chunk()).map(|word| u32::from_le_bytes(*word));
    let info = info.ok_or_else(cut_short)?;
    let (vlen, kind) = ((info & 0xffff) as usize, info >> 24 & 0x1f);
    let size = TYPE_SIZE
        + match kind {
            1 | 14 | 17 => 4,
            3 => 12,
            4 | 5 | 15 | 19 => vlen * 12,
            6 | 13 => vlen * 8,
            2 | 7..=12 | 16 | 18 => 0,
            unknown => return Err(BtfError::new(format!("type {id}"), format!("kind {unknown}, expected 1 to 19"))),
        };
    if size > bytes.len() { Err(cut_short()) } else { Ok(size) }
}
