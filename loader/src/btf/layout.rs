//! How the bytes of a value are to be read: its type, looked up once for all the values of a map.

use super::value::Value;
use super::{Btf, EnumItem, Kind, MAX_DEPTH, Member};

/// Parts that a layout may have. The largest struct of a kernel has a few hundred; a hostile type can describe 2^32.
const MAX_PARTS: usize = 1 << 14;

/// A type with nothing left to look up. What cannot be read by its type is read as bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout<'data> {
    size: usize,
    shape: Shape<'data>,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape<'data> {
    Int { signed: bool, bits: u32 },
    Bool,
    Enum { signed: bool, items: Vec<EnumItem<'data>> },
    Pointer,
    Float,
    Chars,
    Array { element: Box<Layout<'data>>, count: usize },
    Struct(Vec<Field<'data>>),
    Bytes,
}

/// A member of a struct or union, or a variable of a data section.
#[derive(Debug, Clone, PartialEq)]
struct Field<'data> {
    name: &'data str,
    /// Bytes.
    offset: usize,
    /// Of a bit field: its first bit, counted from the offset, and how many there are.
    bits: Option<(u32, u32)>,
    layout: Layout<'data>,
}

impl<'data> Layout<'data> {
    /// The layout of type number `ty`; of plain bytes if the type cannot be read.
    pub fn of(btf: &Btf<'data>, ty: u32) -> Self {
        Builder { btf, parts_left: MAX_PARTS }.layout(ty, MAX_DEPTH).unwrap_or(Self::bytes())
    }

    /// Of what has no type.
    pub fn bytes() -> Self {
        Self { size: 0, shape: Shape::Bytes }
    }

    /// A number of `size` bytes without a sign.
    pub fn number(size: usize) -> Self {
        Self { size, shape: Shape::Int { signed: false, bits: (size as u32).saturating_mul(8) } }
    }

    /// Bytes of a value; 0 if its type has none.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Reads a value. What does not have the bytes that its type needs is returned as [`Value::Bytes`].
    pub fn read(&self, bytes: &[u8]) -> Value<'data> {
        // A hostile type can describe 2^32 elements of no size; no honest value has more parts than bytes, and some names.
        let mut parts_left = bytes.len().saturating_mul(2).saturating_add(256);
        self.value(bytes, &mut parts_left).unwrap_or_else(|| Value::Bytes(bytes.to_vec()))
    }

    fn value(&self, bytes: &[u8], parts_left: &mut usize) -> Option<Value<'data>> {
        *parts_left = parts_left.checked_sub(1)?;
        let own = || bytes.get(..self.size);
        Some(match &self.shape {
            Shape::Int { signed, bits } => Value::Int(integer(own()?, *signed, *bits)?),
            Shape::Bool => Value::Bool(own()?.iter().any(|&byte| byte != 0)),
            Shape::Enum { signed, items } => {
                named(items, integer(own()?, *signed, (self.size as u32).saturating_mul(8))?)
            }
            Shape::Pointer => Value::Pointer(u64::from_le_bytes(*bytes.first_chunk()?)),
            Shape::Float if self.size == 4 => Value::Float(f32::from_le_bytes(*bytes.first_chunk()?).into()),
            Shape::Float => Value::Float(f64::from_le_bytes(*bytes.first_chunk()?)),
            Shape::Chars => Value::Str(own()?.split(|&byte| byte == 0).next().unwrap_or_default().to_vec()),
            Shape::Array { element, count } => {
                let at = |index: usize| bytes.get(index.checked_mul(element.size)?..);
                let read = (0..*count).map(|index| element.value(at(index)?, parts_left));
                Value::Array(read.collect::<Option<_>>()?)
            }
            Shape::Struct(fields) => {
                let read = fields.iter().map(|field| Some((field.name, field.value(bytes, parts_left)?)));
                Value::Struct(read.collect::<Option<_>>()?)
            }
            Shape::Bytes => Value::Bytes(bytes.to_vec()),
        })
    }
}

impl<'data> Field<'data> {
    fn value(&self, bytes: &[u8], parts_left: &mut usize) -> Option<Value<'data>> {
        let bytes = bytes.get(self.offset..)?;
        let Some((first, bits)) = self.bits else { return self.layout.value(bytes, parts_left) };
        *parts_left = parts_left.checked_sub(1)?;
        // A bit field lies within at most 16 bytes that begin where its first bit is.
        let mut wide = [0; 16];
        for (to, from) in wide.iter_mut().zip(bytes) {
            *to = *from;
        }
        let shifted = u128::from_le_bytes(wide).checked_shr(first)?;
        let field = (shifted & 1u128.checked_shl(bits)?.wrapping_sub(1)).to_le_bytes();
        Some(match &self.layout.shape {
            Shape::Int { signed, .. } => Value::Int(integer(&field, *signed, bits)?),
            Shape::Bool => Value::Bool(field.iter().any(|&byte| byte != 0)),
            Shape::Enum { signed, items } => named(items, integer(&field, *signed, bits)?),
            _ => Value::Int(integer(&field, false, bits)?),
        })
    }
}

/// An enum's value by its name, if it has one.
fn named<'data>(items: &[EnumItem<'data>], number: i128) -> Value<'data> {
    let item = items.iter().find(|item| i128::from(item.value) == number);
    item.map_or(Value::Int(number), |item| Value::Enum(item.name))
}

/// A little-endian number of up to 16 bytes, of which the lowest `bits` count.
fn integer(bytes: &[u8], signed: bool, bits: u32) -> Option<i128> {
    let mut wide = [0; 16];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let spare = 128u32.checked_sub(bits)?;
    let left = u128::from_le_bytes(wide).checked_shl(spare)?;
    Some(if signed { left.cast_signed() >> spare } else { (left >> spare).cast_signed() })
}

struct Builder<'a, 'data> {
    btf: &'a Btf<'data>,
    parts_left: usize,
}

impl<'data> Builder<'_, 'data> {
    /// `None`: a type that has no values, or does not exist, or is nested too deeply, or has too many parts.
    fn layout(&mut self, ty: u32, depth: usize) -> Option<Layout<'data>> {
        let depth = depth.checked_sub(1)?;
        self.parts_left = self.parts_left.checked_sub(1)?;
        let (_, ty) = self.btf.resolve(ty).ok()?;
        let (size, shape) = match ty.kind {
            Kind::Int { size, boolean: true, .. } => (size, Shape::Bool),
            Kind::Int { size, signed, bits, .. } => (size, Shape::Int { signed, bits }),
            Kind::Enum { size, items } => {
                (size, Shape::Enum { signed: items.iter().any(|item| item.value < 0), items })
            }
            Kind::Ptr(_) => (8, Shape::Pointer),
            Kind::Float { size: size @ (4 | 8) } => (size, Shape::Float),
            Kind::Struct { size, members } | Kind::Union { size, members } => {
                let fields = members.iter().map(|member| self.member(member, depth));
                (size, Shape::Struct(fields.collect::<Option<_>>()?))
            }
            Kind::Array(array) => return self.array(array.element, array.count, depth),
            Kind::Datasec { size, vars } => {
                let fields = vars.iter().map(|info| {
                    let name = self.btf.get(info.var).ok()?.name;
                    let layout = self.layout(info.var, depth)?;
                    Some(Field { name, offset: info.offset as usize, bits: None, layout })
                });
                (size, Shape::Struct(fields.collect::<Option<_>>()?))
            }
            Kind::Var { ty, .. } => return self.layout(ty, depth),
            _ => return None,
        };
        Some(Layout { size: size as usize, shape })
    }

    fn member(&mut self, member: &Member<'data>, depth: usize) -> Option<Field<'data>> {
        let bits = member.bit_size.map(|bits| (member.bit_offset % 8, bits));
        let layout = self.layout(member.ty, depth)?;
        Some(Field { name: member.name, offset: member.bit_offset as usize / 8, bits, layout })
    }

    fn array(&mut self, element: u32, count: u32, depth: usize) -> Option<Layout<'data>> {
        let (_, ty) = self.btf.resolve(element).ok()?;
        let count = count as usize;
        if ty.name == "char" && matches!(ty.kind, Kind::Int { size: 1, .. }) {
            return Some(Layout { size: count, shape: Shape::Chars });
        }
        let element = Box::new(self.layout(element, depth)?);
        let size = element.size.checked_mul(count)?;
        Some(Layout { size, shape: Shape::Array { element, count } })
    }
}

#[cfg(test)]
#[path = "tests/layout.rs"]
mod tests;
