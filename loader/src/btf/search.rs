//! Searching a kernel's types by name. There are more than a hundred thousand of them, and a few are wanted: one walk finds them
//! all, and looks at the first two bytes of each name only, unless a wanted one begins so.

use super::{Btf, BtfError, Type};

impl<'data> Btf<'data> {
    /// All types with their numbers, but for those that cannot be decoded.
    pub fn types(&self) -> impl Iterator<Item = (u32, Type<'data>)> {
        (1..=self.type_count()).filter_map(|id| Some((id, self.get(id).ok()?)))
    }
}

/// A kernel's types, and the numbers of those that were looked for.
#[derive(Debug)]
pub struct Search<'data> {
    btf: Btf<'data>,
    wanted: Wanted,
}

impl<'data> Search<'data> {
    /// Finds the types of these names, whatever their flavours: see [`essential`].
    ///
    /// # Errors
    ///
    /// As [`Btf::parse`].
    pub fn new(bytes: &'data [u8], names: impl Iterator<Item = String>) -> Result<Self, BtfError> {
        let mut wanted = Wanted::new(names);
        let btf = Btf::walk(bytes, |id, name| wanted.look(id, name))?;
        Ok(Self { btf, wanted })
    }

    /// All types.
    pub fn btf(&self) -> &Btf<'data> {
        &self.btf
    }

    /// The numbers of the types whose kind (`BTF_KIND_*`) is among `kinds` and whose name, but for its flavour, is `name`: one of
    /// those that were looked for.
    pub fn named(&self, name: &str, kinds: &[u32]) -> Vec<u32> {
        let ids = self.wanted.names.iter().find(|(wanted, _)| wanted == name).map_or(&[][..], |(_, ids)| ids);
        ids.iter().copied().filter(|id| self.btf.kind_of(*id).is_some_and(|kind| kinds.contains(&kind))).collect()
    }
}

/// The names that are looked for, and where they were found.
#[derive(Debug)]
struct Wanted {
    /// Sorted by the first two bytes, with the numbers of the types so far.
    names: Vec<(String, Vec<u32>)>,
    /// A bit for each pair of first two bytes: whether one of `names` begins so. It stays in the processor's first cache.
    begins: Vec<u64>,
}

impl Wanted {
    fn new(names: impl Iterator<Item = String>) -> Self {
        let mut names: Vec<_> = names.map(|name| (name, Vec::new())).collect();
        names.sort_by(|(one, _), (two, _)| (first_two(one.as_bytes()), one).cmp(&(first_two(two.as_bytes()), two)));
        names.dedup_by(|(one, _), (two, _)| one == two);
        let mut begins = vec![0; (1 << 16) / 64];
        for (name, _) in &names {
            let begin = first_two(name.as_bytes());
            if let Some(bits) = begins.get_mut(begin / 64) {
                *bits |= 1 << (begin % 64);
            }
        }
        Self { names, begins }
    }

    /// Keeps the number of a type whose name, the beginning of `text`, is wanted.
    fn look(&mut self, id: u32, text: &[u8]) {
        let begin = first_two(text);
        if self.begins.get(begin / 64).is_none_or(|bits| bits >> (begin % 64) & 1 == 0) {
            return;
        }
        let first = self.names.partition_point(|(name, _)| first_two(name.as_bytes()) < begin);
        for (name, ids) in self.names.iter_mut().skip(first) {
            if first_two(name.as_bytes()) != begin {
                break;
            }
            let rest = text.strip_prefix(name.as_bytes());
            if rest
                .is_some_and(|rest| rest.first() == Some(&0) || rest.starts_with(b"___") && is_flavour_of(text, name))
            {
                ids.push(id);
            }
        }
    }
}

/// The first two bytes of a name as a number; a name ends with a NUL, which counts.
fn first_two(name: &[u8]) -> usize {
    let byte = |at: usize| usize::from(name.get(at).copied().unwrap_or(0));
    byte(0) | byte(1) << 8
}

/// Whether the name at the beginning of `text` is `name` but for its flavour.
fn is_flavour_of(text: &[u8], name: &str) -> bool {
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let text = text.get(..end).and_then(|text| std::str::from_utf8(text).ok());
    text.is_some_and(|text| essential(text) == name)
}

/// A name up to its flavour: three underscores between two other characters, the last such if there are several.
pub fn essential(name: &str) -> &str {
    let is_flavour = |window: &[u8]| matches!(window, [a, b'_', b'_', b'_', z] if *a != b'_' && *z != b'_');
    let cut = name.as_bytes().windows(5).rposition(is_flavour);
    cut.and_then(|at| name.get(..=at)).unwrap_or(name)
}
