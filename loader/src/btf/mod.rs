//! `.BTF`: the types of the object, so that a map knows what its keys are and a program where its lines came from.
//!
//! ```text
//! header   magic eb9f, version, header length, then (offset, length) of the two parts, counted from the header's end
//! types    type 1, type 2, …: twelve bytes each (name, info, size or type), then what the kind calls for
//! strings  NUL-terminated; a name is an offset into them
//! ```
//!
//! A type refers to another by its number; 0 is `void`. Types have different lengths, so finding number N takes an index
//! of offsets, built in one pass. A type is decoded when it is asked for, never all at once.
//!
//! Source: `include/uapi/linux/btf.h`, `Documentation/bpf/btf.rst`; the kernel's own reader is `btf_parse()`,
//! `kernel/bpf/btf.c`.

mod arithmetic;
mod decode;
pub mod encode;
pub mod ext;
pub mod layout;
pub mod search;
mod types;
pub mod value;
mod words;

use thiserror::Error;

pub(crate) use words::Words;

pub use types::{Array, EnumItem, Kind, Linkage, Member, Type, VarSecinfo};

/// BTF that cannot be read.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[error("{section}: {place}: {problem}")]
pub struct BtfError {
    /// `.BTF` or `.BTF.ext`.
    pub section: &'static str,
    /// The header, or the type by its number.
    pub place: String,
    /// What was found, and what was expected.
    pub problem: String,
}

impl BtfError {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { section: ".BTF", place: place.into(), problem: problem.into() }
    }
}

/// How many typedefs, qualifiers and nested types are followed before a chain is called endless. The kernel's own limit
/// is `MAX_RESOLVE_DEPTH`, 32.
pub const MAX_DEPTH: usize = 32;

/// Bytes of a string: names that share the bytes of a long one would take as long as all of them together.
const LONGEST_STRING: usize = 4096;
const MAGIC: u16 = 0xeb9f;
/// `BTF_KIND_DATASEC`.
const DATASEC: u32 = 15;
const HEADER_SIZE: usize = 24;

/// The types of an object, borrowed from its `.BTF` section.
#[derive(Debug, Clone)]
pub struct Btf<'data> {
    bytes: &'data [u8],
    types: &'data [u8],
    /// Where the types begin in `bytes`.
    types_start: usize,
    strings: &'data [u8],
    /// `offsets[id - 1]`: where type `id` begins in `types`.
    offsets: Vec<u32>,
}

impl<'data> Btf<'data> {
    /// Reads the header and finds where every type begins; the types themselves are decoded by [`Btf::get`].
    ///
    /// # Errors
    ///
    /// A header, part or type that does not fit into the section, and a kind that is not known.
    pub fn parse(bytes: &'data [u8]) -> Result<Self, BtfError> {
        Self::walk(bytes, |_, _| ())
    }

    /// The same, with a look at each type's number and, if it has a name, at the strings from there on.
    fn walk(bytes: &'data [u8], mut look: impl FnMut(u32, &[u8])) -> Result<Self, BtfError> {
        let mut btf = Self::parts(bytes)?;
        // A type takes some 27 bytes of a kernel's BTF; room is made once.
        btf.offsets.reserve(btf.types.len() / 24);
        let mut at = 0;
        while let Some(rest) = btf.types.get(at..).filter(|rest| !rest.is_empty()) {
            btf.offsets.push(at as u32);
            let name = rest.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
            if let (1.., Some(text)) = (name, btf.strings.get(name as usize..)) {
                look(btf.type_count(), text);
            }
            at += decode::size(btf.type_count(), rest)?;
        }
        Ok(btf)
    }

    /// Finds the two parts.
    fn parts(bytes: &'data [u8]) -> Result<Self, BtfError> {
        let [types_range, strings_range] = read_header(bytes)?;
        let (Some(types), Some(strings)) = (bytes.get(types_range.clone()), bytes.get(strings_range.clone())) else {
            return Err(BtfError::new("header", format!("a part lies outside the section of {} bytes", bytes.len())));
        };
        // Else a type that is written to the file's place, as DATASEC is, would change a name (`btf_check_sec_info()` refuses it, too).
        if types_range.start.max(strings_range.start) < types_range.end.min(strings_range.end) {
            return Err(BtfError::new("header", "types and strings overlap"));
        }
        // So that every name ends somewhere, and name 0 is the empty one.
        if strings.first() != Some(&0) || strings.last() != Some(&0) {
            return Err(BtfError::new("strings", "expected to begin and end with a NUL byte"));
        }
        Ok(Self { bytes, types, types_start: types_range.start, strings, offsets: Vec::new() })
    }

    /// The section's bytes, as the file has them.
    pub fn bytes(&self) -> &'data [u8] {
        self.bytes
    }

    /// The number of types, `void` not counted: the highest valid type number.
    pub fn type_count(&self) -> u32 {
        self.offsets.len() as u32
    }

    /// Decodes type number `id`; 0 is `void`.
    ///
    /// # Errors
    ///
    /// `id` is not a type, or the type's bytes contradict its kind.
    pub fn get(&self, id: u32) -> Result<Type<'data>, BtfError> {
        let Some(index) = id.checked_sub(1) else { return Ok(Type::VOID) };
        let Some(&offset) = self.offsets.get(index as usize) else {
            return Err(BtfError::new(
                format!("type {id}"),
                format!("does not exist: the last is {}", self.type_count()),
            ));
        };
        let bytes = self.types.get(offset as usize..).unwrap_or_default();
        decode::decode(id, bytes, self)
    }

    /// Where type `id` begins, in bytes from the start of the section.
    pub fn section_offset(&self, id: u32) -> Option<usize> {
        let offset = *self.offsets.get(id.checked_sub(1)? as usize)?;
        Some(self.types_start + offset as usize)
    }

    /// The string at `offset` of the string part, without its NUL; `None` if there is none, it is longer than any name or line, or not UTF-8.
    pub fn string(&self, offset: u32) -> Option<&'data str> {
        let rest = self.strings.get(offset as usize..)?;
        let end = rest.iter().take(LONGEST_STRING).position(|&byte| byte == 0)?;
        std::str::from_utf8(rest.get(..end)?).ok()
    }

    /// The types of some kinds (`BTF_KIND_*`); no others are decoded.
    pub fn of_kinds(&self, kinds: &[u32]) -> impl Iterator<Item = (u32, Type<'data>)> {
        let ids = (1..=self.type_count()).filter(|id| self.kind_of(*id).is_some_and(|kind| kinds.contains(&kind)));
        ids.filter_map(|id| Some((id, self.get(id).ok()?)))
    }

    /// `BTF_KIND_*` of a type.
    pub fn kind_of(&self, id: u32) -> Option<u32> {
        let offset = *self.offsets.get(id.checked_sub(1)? as usize)?;
        self.types.get(offset as usize + 7).map(|info| u32::from(info & 0x1f))
    }

    /// Follows typedefs and qualifiers to the type they stand for.
    ///
    /// # Errors
    ///
    /// A type that does not exist, or a chain longer than [`MAX_DEPTH`].
    pub fn resolve(&self, id: u32) -> Result<(u32, Type<'data>), BtfError> {
        let mut current = id;
        for _ in 0..MAX_DEPTH {
            let ty = self.get(current)?;
            match ty.kind {
                Kind::Typedef(next)
                | Kind::Const(next)
                | Kind::Volatile(next)
                | Kind::Restrict(next)
                | Kind::TypeTag(next) => current = next,
                _ => return Ok((current, ty)),
            }
        }
        Err(BtfError::new(format!("type {id}"), format!("more than {MAX_DEPTH} typedefs and qualifiers in a row")))
    }

    /// The size of a value of this type, in bytes.
    ///
    /// # Errors
    ///
    /// A type without a size (`void`, a function, a forward declaration), or one nested too deeply.
    pub fn size_of(&self, id: u32) -> Result<u64, BtfError> {
        let mut factor: u64 = 1;
        let mut current = id;
        for _ in 0..MAX_DEPTH {
            let (number, ty) = self.resolve(current)?;
            let one = match ty.kind {
                Kind::Array(array) => {
                    factor = factor.saturating_mul(u64::from(array.count));
                    current = array.element;
                    continue;
                }
                Kind::Var { ty, .. } => {
                    current = ty;
                    continue;
                }
                Kind::Ptr(_) => 8,
                Kind::Int { size, .. }
                | Kind::Float { size }
                | Kind::Struct { size, .. }
                | Kind::Union { size, .. }
                | Kind::Enum { size, .. }
                | Kind::Datasec { size, .. } => u64::from(size),
                _ => return Err(BtfError::new(format!("type {number}"), format!("{} has no size", ty.kind.name()))),
            };
            return Ok(factor.saturating_mul(one));
        }
        Err(BtfError::new(format!("type {id}"), format!("arrays nested more than {MAX_DEPTH} deep")))
    }

    /// The DATASEC that describes the variables of an ELF section.
    pub fn datasec(&self, section: &str) -> Option<(u32, Type<'data>)> {
        self.of_kinds(&[DATASEC]).find(|(_, ty)| ty.name == section)
    }
}

/// Checks the header and returns where types and strings lie in the section.
fn read_header(bytes: &[u8]) -> Result<[std::ops::Range<usize>; 2], BtfError> {
    let Some(header) = bytes.first_chunk::<HEADER_SIZE>() else {
        let problem = format!("{} bytes, expected at least {HEADER_SIZE}", bytes.len());
        return Err(BtfError::new("header", problem));
    };
    let words = header.as_chunks::<4>().0;
    let word = |n: usize| words.get(n).map_or(0, |word| u32::from_le_bytes(*word) as usize);
    let magic = word(0) as u16;
    if magic != MAGIC {
        return Err(BtfError::new("header", format!("magic {magic:#06x}, expected {MAGIC:#06x}")));
    }
    let (version, header_size) = (header[2], word(1));
    if version != 1 || header_size < HEADER_SIZE {
        let problem =
            format!("version {version}, {header_size} bytes; expected version 1, at least {HEADER_SIZE} bytes");
        return Err(BtfError::new("header", problem));
    }
    let part = |offset: usize, len: usize| {
        let start = word(1).saturating_add(offset);
        start..start.saturating_add(len)
    };
    Ok([part(word(2), word(3)), part(word(4), word(5))])
}

#[cfg(test)]
mod tests;
