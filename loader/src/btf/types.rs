//! One BTF type: `struct btf_type` and what follows it.

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
    pub(super) fn of(number: u32) -> Self {
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
