//! The same path in a type of the target's: by the names of members, whatever their order and nesting.

use super::access::{Path, Step};
use super::value::Wanted;
use super::{difference, types};
use crate::btf::search::essential;
use crate::btf::{Btf, Kind, MAX_DEPTH, Member, Type};

/// Where a path leads in the target's types.
pub(super) enum Found<'data> {
    There(Path<'data>),
    /// A member of that name is there, but it is something else: what, in words.
    Other(Option<String>),
    Nothing,
}

/// Follows `path` of the local types from the target's type `root`.
pub(super) fn path<'data>(
    local: &Btf<'_>,
    path: &Path<'_>,
    target: &Btf<'data>,
    root: u32,
    wanted: Wanted,
) -> Result<Found<'data>, String> {
    let mut there = Path::root(target, root)?;
    if wanted.is_type() {
        // A typedef of that name may stand for something else there.
        let fits = match wanted {
            Wanted::TypeMatches => types::match_exactly(local, path.root, target, there.root)?,
            _ => types::are_compatible(local, path.root, target, there.root)?,
        };
        return Ok(if fits { Found::There(there) } else { Found::Nothing });
    }
    if let Some((name, _)) = path.item {
        let Kind::Enum { items, .. } = &there.root_type.kind else { return Ok(Found::Nothing) };
        let item = items.iter().find(|item| essential(item.name) == essential(name));
        there.item = item.map(|item| (item.name, item.value));
        return Ok(if there.item.is_some() { Found::There(there) } else { Found::Nothing });
    }
    there.enter(target, path.first)?;
    for step in &path.steps {
        let missed = match step {
            Step::Member(member) => take_member(local, member, target, &mut there)?,
            Step::Element(index) => take_element(target, *index, &mut there)?,
        };
        if let Some(missed) = missed {
            return Ok(missed);
        }
    }
    Ok(Found::There(there))
}

/// Goes on to the member of that name, if there is one of a compatible type; otherwise says what was found.
fn take_member<'data>(
    local: &Btf<'_>,
    member: &Member<'_>,
    target: &Btf<'data>,
    there: &mut Path<'data>,
) -> Result<Option<Found<'data>>, String> {
    let Some((bits, found)) = find_member(target, there.end, member.name, MAX_DEPTH, &mut { MAX_MEMBERS })? else {
        return Ok(Some(Found::Nothing));
    };
    if !compatible(local, member.ty, target, found.ty, MAX_DEPTH)? {
        return Ok(Some(Found::Other(difference::of(member.name, local, member.ty, target, found.ty))));
    }
    there.bit_offset = there.bit_offset.saturating_add(bits);
    there.descend(&found);
    there.member = Some(found);
    there.steps.push(Step::Member(found));
    Ok(None)
}

/// Members that are looked at for one name: anonymous structs that share their parts could make a tree of 2^32.
const MAX_MEMBERS: usize = 1 << 16;

/// Finds a member by name, in anonymous structs and unions too: their bit offset, and the member.
fn find_member<'data>(
    btf: &Btf<'data>,
    id: u32,
    name: &str,
    depth: usize,
    left: &mut usize,
) -> Result<Option<(u64, Member<'data>)>, String> {
    let Some(depth) = depth.checked_sub(1) else { return Err("types nested too deeply".to_owned()) };
    let (_, ty) = btf.resolve(id).map_err(|e| e.to_string())?;
    let (Kind::Struct { members, .. } | Kind::Union { members, .. }) = &ty.kind else { return Ok(None) };
    for member in members {
        *left = left.checked_sub(1).ok_or("more members than any honest type has")?;
        if member.name == name {
            return Ok(Some((0, *member)));
        }
        if member.name.is_empty()
            && let Some((bits, found)) = find_member(btf, member.ty, name, depth, left)?
        {
            return Ok(Some((bits.saturating_add(u64::from(member.bit_offset)), found)));
        }
    }
    Ok(None)
}

/// Goes on to an element, if there is an array that has it. An array of no length at the end of a struct has them all.
fn take_element<'data>(
    target: &Btf<'data>,
    index: u32,
    there: &mut Path<'data>,
) -> Result<Option<Found<'data>>, String> {
    let (_, ty) = target.resolve(there.end).map_err(|e| e.to_string())?;
    let Kind::Array(array) = ty.kind else { return Ok(Some(Found::Nothing)) };
    if index >= array.count && array.count != 0 {
        let text = there.member.map(|member| difference::element(member.name, index, array.count));
        return Ok(Some(Found::Other(text)));
    }
    there.element(target, array.element, index)?;
    there.steps.push(Step::Element(index));
    Ok(None)
}

/// Whether a member of the target's type can be what the program takes it for: the kind decides, not the size.
fn compatible(local: &Btf<'_>, id: u32, target: &Btf<'_>, other: u32, depth: usize) -> Result<bool, String> {
    let Some(depth) = depth.checked_sub(1) else { return Err("types nested too deeply".to_owned()) };
    let (_, here) = local.resolve(id).map_err(|e| e.to_string())?;
    let (_, there) = target.resolve(other).map_err(|e| e.to_string())?;
    let same_name = |one: &Type<'_>, two: &Type<'_>| {
        let (one, two) = (essential(one.name), essential(two.name));
        one.is_empty() || two.is_empty() || one == two
    };
    Ok(match (&here.kind, &there.kind) {
        (Kind::Struct { .. } | Kind::Union { .. }, Kind::Struct { .. } | Kind::Union { .. }) => true,
        (Kind::Ptr(_), Kind::Ptr(_)) | (Kind::Float { .. }, Kind::Float { .. }) => true,
        (Kind::Int { .. }, Kind::Int { .. }) => true,
        (Kind::Enum { .. }, Kind::Enum { .. }) | (Kind::Fwd { .. }, Kind::Fwd { .. }) => same_name(&here, &there),
        (Kind::Array(one), Kind::Array(two)) => compatible(local, one.element, target, two.element, depth)?,
        _ => false,
    })
}
