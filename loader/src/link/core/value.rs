//! What a record wants of a path: a number.

use super::access::Path;
use crate::btf::{Btf, Kind};

/// `enum bpf_core_relo_kind`, `include/uapi/linux/bpf.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    ByteOffset,
    ByteSize,
    FieldExists,
    Signed,
    ShiftLeft,
    ShiftRight,
    TypeIdLocal,
    TypeIdTarget,
    TypeExists,
    TypeSize,
    EnumExists,
    EnumValue,
    TypeMatches,
}

impl Wanted {
    pub(super) fn new(kind: u32) -> Result<Self, String> {
        Ok(match kind {
            0 => Self::ByteOffset,
            1 => Self::ByteSize,
            2 => Self::FieldExists,
            3 => Self::Signed,
            4 => Self::ShiftLeft,
            5 => Self::ShiftRight,
            6 => Self::TypeIdLocal,
            7 => Self::TypeIdTarget,
            8 => Self::TypeExists,
            9 => Self::TypeSize,
            10 => Self::EnumExists,
            11 => Self::EnumValue,
            12 => Self::TypeMatches,
            unknown => return Err(format!("kind {unknown}, expected 0 to 12")),
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ByteOffset => "byte offset",
            Self::ByteSize => "byte size",
            Self::FieldExists | Self::TypeExists | Self::EnumExists => "existence",
            Self::Signed => "signedness",
            Self::ShiftLeft => "left shift",
            Self::ShiftRight => "right shift",
            Self::TypeIdLocal => "local type id",
            Self::TypeIdTarget => "target type id",
            Self::TypeSize => "size",
            Self::EnumValue => "value",
            Self::TypeMatches => "match",
        }
    }

    /// Whether it asks about a type as a whole.
    pub(super) fn is_type(self) -> bool {
        matches!(self, Self::TypeIdLocal | Self::TypeIdTarget | Self::TypeExists | Self::TypeSize | Self::TypeMatches)
    }

    /// Whether it asks about an enum's item.
    pub(super) fn is_enum(self) -> bool {
        matches!(self, Self::EnumExists | Self::EnumValue)
    }
}

/// A number, and what a memory access to it must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) number: u64,
    /// Of a byte offset: the bytes of the field, and whether they may be read as more or fewer: an unsigned number, or a pointer.
    pub(super) access: Option<(u64, bool)>,
    /// Whether clang wrote just this number; of bit fields it writes another.
    pub(super) is_certain: bool,
}

impl Value {
    fn new(number: u64) -> Self {
        Self { number, access: None, is_certain: true }
    }
}

/// The value of something that the target does not have; `None` where there is no such value.
pub(super) fn of_nothing(wanted: Wanted) -> Option<Value> {
    let has_value = wanted.is_type() || matches!(wanted, Wanted::FieldExists | Wanted::EnumExists);
    has_value.then_some(Value::new(0))
}

/// The value of a path that exists.
pub(super) fn of(btf: &Btf<'_>, path: &Path<'_>, wanted: Wanted) -> Result<Value, String> {
    let size_of = |id| btf.size_of(id).map_err(|e| e.to_string());
    match wanted {
        Wanted::FieldExists | Wanted::TypeExists | Wanted::EnumExists | Wanted::TypeMatches => Ok(Value::new(1)),
        Wanted::TypeIdLocal | Wanted::TypeIdTarget => Ok(Value::new(u64::from(path.id))),
        Wanted::TypeSize => size_of(path.id).map(Value::new),
        Wanted::EnumValue => Ok(Value::new(path.item.map_or(0, |(_, value)| value.cast_unsigned()))),
        _ => field(btf, path, wanted),
    }
}

/// The value of a field: where the bytes lie that must be loaded for it, and what to do with them.
fn field(btf: &Btf<'_>, path: &Path<'_>, wanted: Wanted) -> Result<Value, String> {
    let (_, ty) = btf.resolve(path.end).map_err(|e| e.to_string())?;
    let size = btf.size_of(path.end).map_err(|e| e.to_string())?;
    let bits = path.member.and_then(|member| member.bit_size).map(u64::from);
    let (offset, size) = match bits {
        None => (path.bit_offset / 8, size),
        Some(bits) => around(path.bit_offset, bits, size)?,
    };
    let uncertain = bits.is_some();
    let signed = match &ty.kind {
        Kind::Int { signed, .. } => *signed,
        Kind::Enum { items, .. } => items.iter().any(|item| item.value < 0),
        _ => false,
    };
    let resizable = matches!(ty.kind, Kind::Ptr(_)) || matches!(ty.kind, Kind::Int { .. }) && !signed;
    let width = bits.unwrap_or(size.saturating_mul(8));
    let value = match wanted {
        Wanted::ByteOffset => {
            let access = (!uncertain).then_some((size, resizable));
            Value { number: offset, access, is_certain: !uncertain }
        }
        Wanted::ByteSize => Value { is_certain: !uncertain, ..Value::new(size) },
        Wanted::Signed => Value::new(u64::from(signed)),
        // Loaded into 64 bits, little-endian, then shifted left until only the field's bits are left at the top.
        Wanted::ShiftLeft => {
            let end = (path.bit_offset - offset * 8).saturating_add(width);
            Value { is_certain: false, ..Value::new(64u64.saturating_sub(end)) }
        }
        _ => Value { is_certain: false, ..Value::new(64u64.saturating_sub(width)) },
    };
    Ok(value)
}

/// The aligned bytes around a bit field: offset and size, the size of its type or the next power of two that holds it.
fn around(bit_offset: u64, bits: u64, type_size: u64) -> Result<(u64, u64), String> {
    let mut size = type_size.max(1);
    loop {
        let offset = bit_offset / 8 / size * size;
        if bit_offset + bits - offset * 8 <= size * 8 {
            return Ok((offset, size));
        }
        if size >= 8 {
            return Err("a bit field that no load of 8 bytes holds".to_owned());
        }
        size *= 2;
    }
}
