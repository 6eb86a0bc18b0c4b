//! A value in memory, read by its BTF type: what a map, a global or an event holds, with names.
//!
//! The shape in JSON is that of bpftool's `formatted`: a struct is an object, an enum its name, a `char` array a string.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Btf, Kind, MAX_DEPTH, Member};

/// A value of the kernel's or a program's.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An integer, or an enum's value without a name.
    Int(i128),
    /// A `bool`.
    Bool(bool),
    /// An enum's value, by its name.
    Enum(String),
    /// A `char` array, up to its first NUL. As text, what is not printable ASCII stands as `\xNN`.
    Str(Vec<u8>),
    /// An address.
    Pointer(u64),
    /// A floating-point number.
    Float(f64),
    /// Members by name, in order; an anonymous struct or union has the name "".
    Struct(Vec<(String, Self)>),
    /// Elements, in order.
    Array(Vec<Self>),
    /// Bytes without a usable type.
    Bytes(Vec<u8>),
}

/// Reads the value of type `ty` that `bytes` hold. What no type explains is returned as [`Value::Bytes`].
pub fn read(btf: &Btf<'_>, ty: u32, bytes: &[u8]) -> Value {
    // A hostile type can describe 2^32 elements of no size; no honest value has more parts than bytes, and some names.
    let mut reader = Reader { btf, parts_left: bytes.len().saturating_mul(2).saturating_add(256) };
    reader.read(ty, bytes, MAX_DEPTH).unwrap_or_else(|| Value::Bytes(bytes.to_vec()))
}

struct Reader<'a, 'data> {
    btf: &'a Btf<'data>,
    parts_left: usize,
}

impl Reader<'_, '_> {
    fn read(&mut self, ty: u32, bytes: &[u8], depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        self.parts_left = self.parts_left.checked_sub(1)?;
        let (_, ty) = self.btf.resolve(ty).ok()?;
        match ty.kind {
            Kind::Int { size, signed, boolean, bits } => {
                let number = integer(bytes.get(..size as usize)?, signed, bits)?;
                Some(if boolean { Value::Bool(number != 0) } else { Value::Int(number) })
            }
            Kind::Enum { size, items } => {
                let signed = items.iter().any(|item| item.value < 0);
                let number = integer(bytes.get(..size as usize)?, signed, size.checked_mul(8)?)?;
                let item = items.iter().find(|item| i128::from(item.value) == number);
                Some(item.map_or(Value::Int(number), |item| Value::Enum(item.name.to_owned())))
            }
            Kind::Ptr(_) => Some(Value::Pointer(u64::from_le_bytes(*bytes.first_chunk()?))),
            Kind::Float { size: 4 } => Some(Value::Float(f32::from_le_bytes(*bytes.first_chunk()?).into())),
            Kind::Float { size: 8 } => Some(Value::Float(f64::from_le_bytes(*bytes.first_chunk()?))),
            Kind::Struct { members, .. } | Kind::Union { members, .. } => {
                let read = members.iter().map(|m| Some((m.name.to_owned(), self.member(m, bytes, depth)?)));
                read.collect::<Option<_>>().map(Value::Struct)
            }
            Kind::Array(array) => self.array(array.element, array.count, bytes, depth),
            Kind::Datasec { vars, .. } => {
                let read = vars.iter().map(|info| {
                    let var = self.btf.get(info.var).ok()?;
                    Some((var.name.to_owned(), self.read(info.var, bytes.get(info.offset as usize..)?, depth)?))
                });
                read.collect::<Option<_>>().map(Value::Struct)
            }
            Kind::Var { ty, .. } => self.read(ty, bytes, depth),
            _ => None,
        }
    }

    fn member(&mut self, member: &Member<'_>, bytes: &[u8], depth: usize) -> Option<Value> {
        let Some(bits) = member.bit_size else {
            return self.read(member.ty, bytes.get(member.bit_offset as usize / 8..)?, depth);
        };
        // A bit field lies within at most 16 bytes that begin where its first bit is.
        let around = bytes.get(member.bit_offset as usize / 8..)?;
        let mut wide = [0; 16];
        for (to, from) in wide.iter_mut().zip(around) {
            *to = *from;
        }
        let shifted = u128::from_le_bytes(wide) >> (member.bit_offset % 8);
        let field = shifted & 1u128.checked_shl(bits)?.wrapping_sub(1);
        let signed = matches!(self.btf.resolve(member.ty).ok()?.1.kind, Kind::Int { signed: true, .. });
        let number = integer(&field.to_le_bytes(), signed, bits)?;
        match self.btf.resolve(member.ty).ok()?.1.kind {
            Kind::Int { boolean: true, .. } => Some(Value::Bool(number != 0)),
            Kind::Enum { items, .. } => {
                let item = items.iter().find(|item| i128::from(item.value) == number);
                Some(item.map_or(Value::Int(number), |item| Value::Enum(item.name.to_owned())))
            }
            _ => Some(Value::Int(number)),
        }
    }

    fn array(&mut self, element: u32, count: u32, bytes: &[u8], depth: usize) -> Option<Value> {
        let (_, ty) = self.btf.resolve(element).ok()?;
        if ty.name == "char" && matches!(ty.kind, Kind::Int { size: 1, .. }) {
            let chars = bytes.get(..count as usize)?;
            let text = chars.split(|&byte| byte == 0).next().unwrap_or_default();
            return Some(Value::Str(text.to_vec()));
        }
        let size = usize::try_from(self.btf.size_of(element).ok()?).ok()?;
        let mut elements = Vec::new();
        for index in 0..count as usize {
            elements.push(self.read(element, bytes.get(index.checked_mul(size)?..)?, depth)?);
        }
        Some(Value::Array(elements))
    }
}

/// A little-endian number of up to 16 bytes, of which the lowest `bits` count.
fn integer(bytes: &[u8], signed: bool, bits: u32) -> Option<i128> {
    let mut wide = [0; 16];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let spare = 128u32.checked_sub(bits)?;
    let left = u128::from_le_bytes(wide).checked_shl(spare)?;
    Some(if signed { left.cast_signed() >> spare } else { (left >> spare).cast_signed() })
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Enum(name) => f.write_str(name),
            Self::Str(text) => write!(f, "\"{}\"", text.escape_ascii()),
            Self::Pointer(address) => write!(f, "{address:#x}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Struct(members) => {
                let parts: Vec<_> = members.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "{{{}}}", parts.join(" "))
            }
            Self::Array(elements) => {
                let parts: Vec<_> = elements.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", parts.join(" "))
            }
            Self::Bytes(bytes) => f.write_str(&hex(bytes)),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(number) => match (u64::try_from(*number), i64::try_from(*number)) {
                (Ok(number), _) => serializer.serialize_u64(number),
                (_, Ok(number)) => serializer.serialize_i64(number),
                _ => serializer.serialize_str(&number.to_string()),
            },
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Enum(name) => serializer.serialize_str(name),
            Self::Str(text) => match std::str::from_utf8(text) {
                Ok(text) => serializer.serialize_str(text),
                Err(_) => serializer.collect_str(&text.escape_ascii()),
            },
            Self::Pointer(address) => serializer.serialize_u64(*address),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Struct(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Bytes(bytes) => serializer.serialize_str(&hex(bytes)),
        }
    }
}

/// Lower-case hex, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
