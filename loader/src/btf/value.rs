//! A value in memory, read by its BTF type: what a map, a global or an event holds, with names.
//!
//! The shape in JSON is that of bpftool's `formatted`: a struct is an object, an enum its name, a `char` array a string.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Btf;
use super::layout::Layout;

/// A value of the kernel's or a program's.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'data> {
    /// An integer, or an enum's value without a name.
    Int(i128),
    /// A `bool`.
    Bool(bool),
    /// An enum's value, by its name.
    Enum(&'data str),
    /// A `char` array, up to its first NUL. As text, what is not printable ASCII stands as `\xNN`.
    Str(Vec<u8>),
    /// An address.
    Pointer(u64),
    /// A floating-point number.
    Float(f64),
    /// Members by name, in order; an anonymous struct or union has the name "".
    Struct(Vec<(&'data str, Self)>),
    /// Elements, in order.
    Array(Vec<Self>),
    /// Bytes without a usable type.
    Bytes(Vec<u8>),
}

/// Reads the value of type `ty` that `bytes` hold. What no type explains is returned as [`Value::Bytes`]. For many values of one
/// type there is [`Layout`].
pub fn read<'data>(btf: &Btf<'data>, ty: u32, bytes: &[u8]) -> Value<'data> {
    Layout::of(btf, ty).read(bytes)
}

impl Value<'_> {
    /// The number, if it is one.
    pub fn integer(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => fmt::Display::fmt(number, f),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Enum(name) => write_name(f, name),
            Self::Str(text) => write!(f, "\"{}\"", text.escape_ascii()),
            Self::Pointer(address) => write!(f, "{address:#x}"),
            Self::Float(number) if *number != 0.0 && !(1e-5..1e17).contains(&number.abs()) => write!(f, "{number:e}"),
            Self::Float(number) => fmt::Display::fmt(number, f),
            Self::Struct(members) => {
                f.write_str("{")?;
                for (n, (name, value)) in members.iter().enumerate() {
                    f.write_str(if n == 0 { "" } else { " " })?;
                    write_name(f, name)?;
                    f.write_str(if name.is_empty() { "" } else { "=" })?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
            Self::Array(elements) => {
                f.write_str("[")?;
                for (n, element) in elements.iter().enumerate() {
                    f.write_str(if n == 0 { "" } else { " " })?;
                    element.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Bytes(bytes) => f.write_str(&hex(bytes)),
        }
    }
}

/// A name, which comes from an object as much as a value does.
fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if name.bytes().all(|byte| byte.is_ascii_graphic()) {
        f.write_str(name)
    } else {
        write!(f, "{}", name.escape_debug())
    }
}

impl Serialize for Value<'_> {
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
    let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or('0');
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text
}

/// The bytes of hex digits, two a byte.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    digits.as_chunks::<2>().0.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect()
}
