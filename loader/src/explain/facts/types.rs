//! The way through the types that a definition takes, hop by hop.

use crate::btf::{Btf, Kind, MAX_DEPTH};

/// From a member's type to what it means: `PTR [5] -> ARRAY [6] of 1024`.
///
/// The first pointer is followed, and every typedef and qualifier; what comes then ends the way.
pub(super) fn trail(btf: &Btf<'_>, id: u32) -> String {
    let mut hops = Vec::new();
    let (mut next, mut pointers) = (Some(id), 0);
    while let Some(id) = next {
        let Ok(ty) = btf.get(id) else {
            hops.push(format!("[{id}], which does not exist"));
            break;
        };
        hops.push(hop(id, ty.name, &ty.kind));
        pointers += usize::from(matches!(ty.kind, Kind::Ptr(_)));
        next = match ty.kind {
            Kind::Ptr(to) if pointers == 1 => Some(to),
            Kind::Typedef(to) | Kind::Const(to) | Kind::Volatile(to) | Kind::Restrict(to) | Kind::TypeTag(to) => {
                Some(to)
            }
            // An array of pointers, as `values` is, leads on to what they point to.
            Kind::Array(array) if pointers == 0 => Some(array.element),
            _ => None,
        };
        if hops.len() > MAX_DEPTH {
            hops.push("...".to_owned());
            break;
        }
    }
    hops.join(" -> ")
}

/// One type, in bpftool's words.
fn hop(id: u32, name: &str, kind: &Kind<'_>) -> String {
    let word = match kind {
        Kind::Void => return "void".to_owned(),
        Kind::Array(array) => return format!("ARRAY [{id}] of {}", array.count),
        Kind::Int { .. } => "INT",
        Kind::Ptr(_) => "PTR",
        Kind::Struct { .. } => "STRUCT",
        Kind::Union { .. } => "UNION",
        Kind::Enum { .. } => "ENUM",
        Kind::Fwd { .. } => "FWD",
        Kind::Typedef(_) => "TYPEDEF",
        Kind::Volatile(_) => "VOLATILE",
        Kind::Const(_) => "CONST",
        Kind::Restrict(_) => "RESTRICT",
        Kind::Func { .. } => "FUNC",
        Kind::FuncProto { .. } => "FUNC_PROTO",
        Kind::Var { .. } => "VAR",
        Kind::Datasec { .. } => "DATASEC",
        Kind::Float { .. } => "FLOAT",
        Kind::DeclTag => "DECL_TAG",
        Kind::TypeTag(_) => "TYPE_TAG",
    };
    if name.is_empty() { format!("{word} [{id}]") } else { format!("{word} {name} [{id}]") }
}
