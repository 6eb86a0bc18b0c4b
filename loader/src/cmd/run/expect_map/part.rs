//! A part of a value: where a member or an element is, and its type.

use minibpf::btf::encode::{encode, encode_number};
use minibpf::btf::layout::Layout;
use minibpf::btf::{Btf, Kind, MAX_DEPTH};

/// A value, or a part of one: where it is, and its type; 0 without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) offset: usize,
    pub(super) ty: u32,
    pub(super) size: usize,
}

impl Part {
    pub(super) fn layout<'data>(self, btf: Option<&Btf<'data>>) -> Layout<'data> {
        match btf {
            Some(btf) if self.ty != 0 => Layout::of(btf, self.ty),
            _ if matches!(self.size, 1 | 2 | 4 | 8) => Layout::number(self.size),
            _ => Layout::bytes(),
        }
    }

    pub(super) fn encode(self, btf: Option<&Btf<'_>>, text: &str) -> Result<Vec<u8>, String> {
        match (btf, self.size) {
            (Some(btf), _) if self.ty != 0 => encode(btf, self.ty, text).map_err(|error| error.to_string()),
            (_, 1 | 2 | 4 | 8) => encode_number(self.size as u32, text).map_err(|error| error.to_string()),
            _ => {
                Err(format!("{} bytes without a type; only integers of 1, 2, 4 and 8 bytes can be written", self.size))
            }
        }
    }
}

/// `.member` and `[index]`, as many as there are.
pub(super) fn follow(btf: Option<&Btf<'_>>, mut part: Part, mut path: &str) -> Result<Part, String> {
    while !path.is_empty() {
        let btf =
            btf.filter(|_| part.ty != 0).ok_or_else(|| format!("`{path}`: the value has no type; compile with -g"))?;
        (part, path) = match (bracketed(path), path.strip_prefix('.')) {
            (Some((index, rest)), _) => (element(btf, part, index)?, rest),
            (None, Some(rest)) => {
                let (name, rest) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
                (member(btf, part, name, MAX_DEPTH)?.ok_or_else(|| format!("there is no member `{name}`"))?, rest)
            }
            (None, None) => return Err(format!("`{path}`: expected .MEMBER or [INDEX]")),
        };
    }
    Ok(part)
}

fn kind_of<'data>(btf: &Btf<'data>, ty: u32) -> Result<Kind<'data>, String> {
    btf.resolve(ty).map(|(_, ty)| ty.kind).map_err(|error| error.to_string())
}

fn element(btf: &Btf<'_>, part: Part, index: &str) -> Result<Part, String> {
    let Kind::Array(array) = kind_of(btf, part.ty)? else { return Err(format!("`[{index}]`: not an array")) };
    let number: u32 = index.parse().map_err(|_| format!("`{index}` is no index"))?;
    if number >= array.count {
        return Err(format!("index {index}: the array has {} elements, counted from 0", array.count));
    }
    let size = btf.size_of(array.element).map_err(|error| error.to_string())? as usize;
    let offset = size.saturating_mul(number as usize).saturating_add(part.offset);
    Ok(Part { offset, ty: array.element, size })
}

/// A member by its name; those of anonymous structs and unions count as the outer one's.
fn member(btf: &Btf<'_>, part: Part, name: &str, depth: usize) -> Result<Option<Part>, String> {
    let depth = depth.checked_sub(1).ok_or("structs nested too deeply")?;
    let (Kind::Struct { members, .. } | Kind::Union { members, .. }) = kind_of(btf, part.ty)? else {
        return Err(format!("`.{name}`: not a struct"));
    };
    for found in &members {
        let is_struct = || matches!(kind_of(btf, found.ty), Ok(Kind::Struct { .. } | Kind::Union { .. }));
        if found.name != name && !(found.name.is_empty() && is_struct()) {
            continue;
        }
        if found.bit_size.is_some() {
            return Err(format!("`{name}` is a bit field, which cannot be expected by itself"));
        }
        let size = btf.size_of(found.ty).map_err(|error| error.to_string())? as usize;
        let inner = Part { offset: part.offset + found.bit_offset as usize / 8, ty: found.ty, size };
        if found.name == name {
            return Ok(Some(inner));
        }
        if let Some(deeper) = member(btf, inner, name, depth)? {
            return Ok(Some(deeper));
        }
    }
    Ok(None)
}

/// `[KEY]REST`.
pub(super) fn bracketed(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let mut depth = 0u32;
    for (at, c) in inside.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' if depth > 0 => depth -= 1,
            ']' => return inside.split_at_checked(at).map(|(key, rest)| (key, rest.get(1..).unwrap_or_default())),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_a_type_is_a_number_of_its_size() {
        let encoded = |text: &str, size: usize| Part { offset: 0, ty: 0, size }.encode(None, text);
        assert_eq!(encoded("258", 2), Ok(vec![2, 1]));
        assert_eq!(encoded("-1", 4), Ok(vec![0xff; 4]));
        assert!(encoded("256", 1).is_err() && encoded("1", 3).is_err() && encoded("x", 4).is_err());
    }

    #[test]
    fn a_key_ends_at_its_own_bracket() {
        assert_eq!(bracketed("[{x=[1]}].b"), Some(("{x=[1]}", ".b")));
        assert_eq!(bracketed("[é]"), Some(("é", "")));
        assert_eq!(bracketed("[1"), None);
        assert_eq!(bracketed(".a"), None);
    }
}
