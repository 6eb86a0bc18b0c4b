//! A map's definition, member by member: where each number stands in the object.

use std::collections::BTreeMap;

use serde::Serialize;

use super::types::trail;
use crate::btf::{Btf, Kind, Member as BtfMember};
use crate::spec::{MapOrigin, MapSpec, Spec};
use crate::uapi::names;

/// One member of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its name in the definition.
    pub name: String,
    /// Where the number stands.
    pub from: String,
    /// The number, if it is one.
    pub value: Option<u64>,
    /// What it sets.
    pub sets: String,
}

/// The fields of `struct bpf_map_def`, in their order: four bytes each.
const LEGACY_FIELDS: [&str; 5] = ["type", "key_size", "value_size", "max_entries", "map_flags"];

/// How deep a map definition may hold another.
const LEVELS: usize = 2;

/// The variables of `.maps`: name, offset as clang left it, and type.
pub(super) type Variables<'a> = BTreeMap<&'a str, Vec<(u64, u32)>>;

/// Finds the variables that are maps.
pub(super) fn variables<'a>(spec: &'a Spec<'_>) -> Variables<'a> {
    let mut variables = Variables::new();
    let Some(btf) = &spec.btf else { return variables };
    let Some((_, Kind::Datasec { vars, .. })) = btf.datasec(".maps").map(|(id, ty)| (id, ty.kind)) else {
        return variables;
    };
    for info in vars {
        let Ok(var) = btf.get(info.var) else { continue };
        if let Kind::Var { ty, .. } = var.kind {
            variables.entry(var.name).or_default().push((info.offset.into(), ty));
        }
    }
    variables
}

/// All members of a map's definition.
pub(super) fn members(spec: &Spec<'_>, variables: &Variables<'_>, map: &MapSpec) -> Vec<Member> {
    match map.origin {
        MapOrigin::Btf => {
            let found = variables.get(map.name.as_str()).map_or(&[][..], Vec::as_slice);
            // Only `static` maps can share a name, and of those clang filled in the offset.
            let here = found.iter().find(|(offset, _)| *offset == map.place.offset).or(found.first());
            let ty = spec.btf.as_ref().zip(here);
            ty.map_or_else(Vec::new, |(btf, (_, ty))| of_struct(btf, *ty, "", LEVELS))
        }
        MapOrigin::Legacy => of_bytes(spec, map),
        MapOrigin::Data { read_only } => of_section(map, read_only),
    }
}

/// The members of a definition in BTF.
fn of_struct(btf: &Btf<'_>, ty: u32, prefix: &str, levels: usize) -> Vec<Member> {
    let (Some(levels), Ok((_, ty))) = (levels.checked_sub(1), btf.resolve(ty)) else { return Vec::new() };
    let Kind::Struct { members, .. } = ty.kind else { return Vec::new() };
    let mut facts = Vec::new();
    for member in &members {
        let (value, sets) = read(btf, member);
        facts.push(Member { name: format!("{prefix}{}", member.name), from: trail(btf, member.ty), value, sets });
        if let (true, Some(inner)) = (member.name == "values", pointee_of_array(btf, member.ty)) {
            facts.extend(of_struct(btf, inner, &format!("{prefix}values."), levels));
        }
    }
    facts
}

/// What a member says, and which field of the system call that becomes.
fn read(btf: &Btf<'_>, member: &BtfMember<'_>) -> (Option<u64>, String) {
    let target = match btf.resolve(member.ty).map(|(_, ty)| ty.kind) {
        Ok(Kind::Ptr(target)) => Some(target),
        _ => None,
    };
    let array = target.and_then(|target| match btf.resolve(target).ok()?.1.kind {
        Kind::Array(array) => Some(u64::from(array.count)),
        _ => None,
    });
    match (member.name, target, array) {
        ("key" | "value", Some(id), _) => {
            let Ok(size) = btf.size_of(id) else { return (None, String::new()) };
            let name = member.name;
            (Some(size), format!("{name}_size = {size}, btf_{name}_type_id = {id}"))
        }
        ("type", _, Some(number)) => (Some(number), format!("map_type = {}", names::map_type(number as u32))),
        ("map_flags", _, Some(number)) => (Some(number), format!("map_flags = {}", names::map_flags(number as u32))),
        ("pinning", _, Some(number)) => (Some(number), "with --pin DIR: shared as DIR/maps/NAME".to_owned()),
        ("values", ..) => (None, "value_size = 4: a slot takes a descriptor".to_owned()),
        (name, _, Some(number)) => (Some(number), format!("{name} = {number}")),
        _ => (None, String::new()),
    }
}

/// `T *values[]` → T.
fn pointee_of_array(btf: &Btf<'_>, ty: u32) -> Option<u32> {
    let Kind::Array(array) = btf.resolve(ty).ok()?.1.kind else { return None };
    match btf.resolve(array.element).ok()?.1.kind {
        Kind::Ptr(target) => Some(target),
        _ => None,
    }
}

/// The words of a `struct bpf_map_def`.
fn of_bytes(spec: &Spec<'_>, map: &MapSpec) -> Vec<Member> {
    let data = spec.object.sections.get(map.place.section).map_or(&[][..], |section| section.data);
    let start = map.place.offset as usize;
    let bytes = data.get(start..start.saturating_add(map.extent as usize)).unwrap_or_default();
    let words = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
    let mut members = Vec::new();
    for (name, (number, word)) in LEGACY_FIELDS.iter().zip(words.enumerate()) {
        let at = map.place.offset.saturating_add(number as u64 * 4);
        let sets = match *name {
            "type" => format!("map_type = {}", names::map_type(word)),
            "map_flags" => format!("map_flags = {}", names::map_flags(word)),
            name => format!("{name} = {word}"),
        };
        members.push(Member {
            name: (*name).to_owned(),
            from: format!("the word at byte {at:#x}"),
            value: Some(word.into()),
            sets,
        });
    }
    members
}

/// What a data section says of the map that it becomes.
fn of_section(map: &MapSpec, read_only: bool) -> Vec<Member> {
    let attr = &map.attr;
    let member = |name: &str, from: &str, value: u32, sets: String| Member {
        name: name.to_owned(),
        from: from.to_owned(),
        value: Some(value.into()),
        sets,
    };
    let why = match (read_only, attr.map_flags != 0) {
        (true, _) => "constants: the program may not write; MMAPABLE if a variable is not static",
        (false, true) => "a variable is not static: user space may map the value",
        (false, false) => "every variable is static: nothing to share with user space",
    };
    let mut members = vec![
        member(
            "type",
            "a data section is an array",
            attr.map_type,
            format!("map_type = {}", names::map_type(attr.map_type)),
        ),
        member(
            "key_size",
            "an array's keys are numbers of 32 bits",
            attr.key_size,
            format!("key_size = {}", attr.key_size),
        ),
        member("value_size", "the section's size", attr.value_size, format!("value_size = {}", attr.value_size)),
        member(
            "max_entries",
            "the section is its only value",
            attr.max_entries,
            format!("max_entries = {}", attr.max_entries),
        ),
        member("map_flags", why, attr.map_flags, format!("map_flags = {}", names::map_flags(attr.map_flags))),
    ];
    if attr.btf_value_type_id != 0 {
        let id = attr.btf_value_type_id;
        members.push(member("value", &format!("DATASEC {} [{id}]", map.name), id, format!("btf_value_type_id = {id}")));
    }
    members
}
