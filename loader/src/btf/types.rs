//! One BTF type: `struct btf_type` and what follows it.

use super::{Btf, BtfError};

/// A decoded type.
#[derive(Debug, Clone)]
pub struct Type<'data> {
    /// Its name; empty for an anonymous one.
    pub name: &'data str,
    /// What it is.
    pub kind: Kind<'data>,
}

impl Type<'_> {
    pub(super) const VOID: Self = Self { name: "void", kind: Kind::Void };
}

/// The kinds of `enum btf_kind` (`BTF_KIND_*`). Type numbers are unchecked until they are looked up.
#[derive(Debug, Clone)]
pub enum Kind<'data> {
    /// Type number 0.
    Void,
    /// An integer, `char` and `bool` among them.
    Int {
        /// Bytes.
        size: u32,
        /// Whether it is signed.
        signed: bool,
        /// Whether it is a `bool`.
        boolean: bool,
        /// Significant bits: less than `size * 8` only in a bit field of old compilers.
        bits: u32,
    },
    /// A pointer to the type of that number.
    Ptr(u32),
    /// An array.
    Array(Array),
    /// A struct.
    Struct {
        /// Bytes.
        size: u32,
        /// Its members, in order.
        members: Vec<Member<'data>>,
    },
    /// A union.
    Union {
        /// Bytes.
        size: u32,
        /// Its members.
        members: Vec<Member<'data>>,
    },
    /// An enum of up to 32 bits (`BTF_KIND_ENUM`) or of 64 (`BTF_KIND_ENUM64`).
    Enum {
        /// Bytes.
        size: u32,
        /// Its named values.
        items: Vec<EnumItem<'data>>,
    },
    /// A forward declaration: a struct or union that the object never defines.
    Fwd {
        /// Whether it is a union.
        is_union: bool,
    },
    /// Another name for a type.
    Typedef(u32),
    /// `volatile`.
    Volatile(u32),
    /// `const`.
    Const(u32),
    /// `restrict`.
    Restrict(u32),
    /// A function; its type is a `FUNC_PROTO`.
    Func {
        /// The `FUNC_PROTO`.
        proto: u32,
        /// How it is linked.
        linkage: Linkage,
    },
    /// A function's return and parameter types.
    FuncProto {
        /// What it returns.
        ret: u32,
        /// The parameters' types, in order.
        params: Vec<u32>,
    },
    /// A global variable.
    Var {
        /// Its type.
        ty: u32,
        /// Whether it is `static`.
        linkage: Linkage,
    },
    /// The variables of one ELF section.
    Datasec {
        /// Bytes; clang leaves 0, since only the linker knows.
        size: u32,
        /// The variables.
        vars: Vec<VarSecinfo>,
    },
    /// A floating-point number.
    Float {
        /// Bytes.
        size: u32,
    },
    /// `btf_decl_tag`, on a declaration.
    DeclTag,
    /// `btf_type_tag`, on the type of that number.
    TypeTag(u32),
}

/// `BTF_VAR_*`, `BTF_FUNC_*`: how a variable or a function is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linkage {
    /// `static`.
    Static,
    /// Defined here.
    Global,
    /// Defined elsewhere.
    Extern,
}

impl Linkage {
    fn of(number: u32) -> Self {
        match number {
            0 => Self::Static,
            1 => Self::Global,
            _ => Self::Extern,
        }
    }
}

/// `struct btf_array`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Array {
    /// The type of an element.
    pub element: u32,
    /// How many elements.
    pub count: u32,
}

/// `struct btf_member`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'data> {
    /// Its name; empty for an anonymous struct or union.
    pub name: &'data str,
    /// Its type.
    pub ty: u32,
    /// Where it begins, in bits.
    pub bit_offset: u32,
    /// Bits, if it is a bit field.
    pub bit_size: Option<u32>,
}

/// `struct btf_enum` or `struct btf_enum64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnumItem<'data> {
    /// Its name.
    pub name: &'data str,
    /// Its value.
    pub value: i64,
}

/// `struct btf_var_secinfo`: where a variable lies in its section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VarSecinfo {
    /// The VAR.
    pub var: u32,
    /// Byte offset; clang leaves 0 for what is not `static`, a relocation record fills it in.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

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
    let ([name, info, size_or_type], rest) = words(whole);
    // info: vlen in bits 0-15, kind in bits 24-28, kind_flag in bit 31.
    let (vlen, kind, kind_flag) = (info & 0xffff, info >> 24 & 0x1f, info >> 31 == 1);
    let name_of = |offset: u32| {
        let problem = || BtfError::new(format!("type {id}"), format!("no name at string offset {offset}"));
        // Most types of an object have none.
        if offset == 0 { Ok("") } else { btf.string(offset).ok_or_else(problem) }
    };
    let kind = match kind {
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
        4 | 5 => {
            let member = |[name, ty, offset]: [u32; 3]| {
                // With the flag the upper byte is a bit field's size, without it all 32 bits are the offset.
                let (bit_offset, bits) = if kind_flag { (offset & 0xff_ffff, offset >> 24) } else { (offset, 0) };
                let bit_size = (bits != 0).then_some(bits);
                name_of(name).map(|name| Member { name, ty, bit_offset, bit_size })
            };
            let (size, members) = (size_or_type, each(rest).map(member).collect::<Result<_, _>>()?);
            if kind == 4 { Kind::Struct { size, members } } else { Kind::Union { size, members } }
        }
        6 => {
            let item = |[name, value]: [u32; 2]| {
                let value = if kind_flag { i64::from(value.cast_signed()) } else { i64::from(value) };
                name_of(name).map(|name| EnumItem { name, value })
            };
            Kind::Enum { size: size_or_type, items: each(rest).map(item).collect::<Result<_, _>>()? }
        }
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
        _ => {
            let item = |[name, low, high]: [u32; 3]| {
                let value = (u64::from(high) << 32 | u64::from(low)).cast_signed();
                name_of(name).map(|name| EnumItem { name, value })
            };
            Kind::Enum { size: size_or_type, items: each(rest).map(item).collect::<Result<_, _>>()? }
        }
    };
    Ok(Type { name: name_of(name)?, kind })
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

impl Kind<'_> {
    /// The kind in C's words, with the article that an error needs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Int { .. } => "an integer",
            Self::Ptr(_) => "a pointer",
            Self::Array(_) => "an array",
            Self::Struct { .. } => "a struct",
            Self::Union { .. } => "a union",
            Self::Enum { .. } => "an enum",
            Self::Fwd { .. } => "a forward declaration",
            Self::Typedef(_) => "a typedef",
            Self::Volatile(_) => "a volatile type",
            Self::Const(_) => "a const type",
            Self::Restrict(_) => "a restrict type",
            Self::Func { .. } => "a function",
            Self::FuncProto { .. } => "a function prototype",
            Self::Var { .. } => "a variable",
            Self::Datasec { .. } => "a data section",
            Self::Float { .. } => "a float",
            Self::DeclTag => "a declaration tag",
            Self::TypeTag(_) => "a type tag",
        }
    }
}
