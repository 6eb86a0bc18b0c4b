//! In words: what the target has in place of what the object declares.

use crate::btf::{Btf, Kind};

/// `` `truesize` is an unsigned integer of 4 bytes, not an array of 4 ``; nothing where both read the same.
pub(super) fn of(name: &str, local: &Btf<'_>, here: u32, target: &Btf<'_>, there: u32) -> Option<String> {
    let (here, there) = (described(local, here), described(target, there));
    (here != there).then(|| format!("`{name}` is {there}, not {here}"))
}

/// An element that an array does not have.
pub(super) fn element(name: &str, index: u32, count: u32) -> String {
    format!("`{name}` is an array of {count}, which has no element {index}")
}

fn described(btf: &Btf<'_>, id: u32) -> String {
    let Ok((_, ty)) = btf.resolve(id) else { return "an unknown type".to_owned() };
    let size = || btf.size_of(id).map(|size| format!(" of {size} bytes")).unwrap_or_default();
    let kind = ty.kind.name();
    match ty.kind {
        Kind::Ptr(_) => kind.to_owned(),
        Kind::Array(array) => format!("{kind} of {}", array.count),
        Kind::Int { signed, boolean: false, .. } => {
            format!("{} integer{}", if signed { "a signed" } else { "an unsigned" }, size())
        }
        Kind::Int { .. } => "a bool".to_owned(),
        _ if ty.name.is_empty() => format!("{kind}{}", size()),
        _ => format!("{kind} {}{}", ty.name, size()),
    }
}
