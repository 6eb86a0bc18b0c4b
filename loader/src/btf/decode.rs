//! One type's bytes → [`Type`]: twelve bytes that every type has, and what its kind appends.

use super::types::{Array, EnumItem, Kind, Linkage, Member, Type, VarSecinfo};
use super::{Btf, BtfError};

/// Bytes of the type that begins at `bytes`, whose kind decides what follows the first twelve.
pub(super) fn size(id: u32, bytes: &[u8]) -> Result<usize, BtfError> {
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

/// Bytes that every type has: name, info, and size or type.
const TYPE_SIZE: usize = 12;

/// Decodes the type that begins at `bytes`.
pub(super) fn decode<'data>(id: u32, bytes: &[u8], btf: &Btf<'data>) -> Result<Type<'data>, BtfError> {
    let whole = bytes.get(..size(id, bytes)?).unwrap_or_default();
    // info: vlen in bits 0-15, kind in bits 24-28, kind_flag in bit 31.
    let ([name, info, size_or_type], rest) = words(whole);
    let (vlen, kind_flag) = (info & 0xffff, info >> 31 == 1);
    let parts = Parts { id, rest, kind_flag, btf };
    let kind = match info >> 24 & 0x1f {
        1 => {
            let ([encoding], _) = words(rest);
            let (signed, boolean) = (encoding >> 24 & 1 == 1, encoding >> 26 & 1 == 1);
            Kind::Int { size: size_or_type, signed, boolean, bits: encoding & 0xff }
        }
        2 => Kind::Ptr(size_or_type),
        3 => {
            let ([element, _index_type, count], _) = words(rest);
            Kind::Array(Array { element, count })
        }
        4 => Kind::Struct { size: size_or_type, members: parts.members()? },
        5 => Kind::Union { size: size_or_type, members: parts.members()? },
        6 => Kind::Enum { size: size_or_type, items: parts.items()? },
        7 => Kind::Fwd { is_union: kind_flag },
        8 => Kind::Typedef(size_or_type),
        9 => Kind::Volatile(size_or_type),
        10 => Kind::Const(size_or_type),
        11 => Kind::Restrict(size_or_type),
        12 => Kind::Func { proto: size_or_type, linkage: Linkage::of(vlen) },
        13 => Kind::FuncProto { ret: size_or_type, params: each(rest).map(|[_name, ty]| ty).collect() },
        14 => {
            let ([linkage], _) = words(rest);
            Kind::Var { ty: size_or_type, linkage: Linkage::of(linkage) }
        }
        15 => {
            let vars = each(rest).map(|[var, offset, size]| VarSecinfo { var, offset, size });
            Kind::Datasec { size: size_or_type, vars: vars.collect() }
        }
        16 => Kind::Float { size: size_or_type },
        17 => Kind::DeclTag,
        18 => Kind::TypeTag(size_or_type),
        // `size` knows no other.
        _ => Kind::Enum { size: size_or_type, items: parts.wide_items()? },
    };
    Ok(Type { name: parts.name(name)?, kind })
}

/// What follows the first twelve bytes of a type that has parts with names.
struct Parts<'a, 'data> {
    id: u32,
    rest: &'a [u8],
    kind_flag: bool,
    btf: &'a Btf<'data>,
}

impl<'data> Parts<'_, 'data> {
    fn name(&self, offset: u32) -> Result<&'data str, BtfError> {
        let problem = || BtfError::new(format!("type {}", self.id), format!("no name at string offset {offset}"));
        // Most types of an object have none.
        if offset == 0 { Ok("") } else { self.btf.string(offset).ok_or_else(problem) }
    }

    /// Of a struct or union.
    fn members(&self) -> Result<Vec<Member<'data>>, BtfError> {
        let member = |[name, ty, offset]: [u32; 3]| {
            // With the flag the upper byte is a bit field's size, without it all 32 bits are the offset.
            let (bit_offset, bits) = if self.kind_flag { (offset & 0xff_ffff, offset >> 24) } else { (offset, 0) };
            let bit_size = (bits != 0).then_some(bits);
            self.name(name).map(|name| Member { name, ty, bit_offset, bit_size })
        };
        each(self.rest).map(member).collect()
    }

    /// Of an enum: the flag says that the values have signs.
    fn items(&self) -> Result<Vec<EnumItem<'data>>, BtfError> {
        let item = |[name, value]: [u32; 2]| {
            let value = if self.kind_flag { i64::from(value.cast_signed()) } else { i64::from(value) };
            self.name(name).map(|name| EnumItem { name, value })
        };
        each(self.rest).map(item).collect()
    }

    /// Of an enum of 64 bits.
    fn wide_items(&self) -> Result<Vec<EnumItem<'data>>, BtfError> {
        let item = |[name, low, high]: [u32; 3]| {
            let value = (u64::from(high) << 32 | u64::from(low)).cast_signed();
            self.name(name).map(|name| EnumItem { name, value })
        };
        each(self.rest).map(item).collect()
    }
}

/// The first words of a type's bytes, whose number [`size`] has checked, and the bytes after them.
fn words<const N: usize>(bytes: &[u8]) -> ([u32; N], &[u8]) {
    let (words, _) = bytes.as_chunks();
    let words = words.first_chunk::<N>().map_or([0; N], |words| words.map(u32::from_le_bytes));
    (words, bytes.get(N * 4..).unwrap_or_default())
}

/// What follows a type, so many words each.
fn each<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u32; N]> {
    let (words, _) = bytes.as_chunks();
    let (each, _) = words.as_chunks::<N>();
    each.iter().map(|words| words.map(u32::from_le_bytes))
}
