//! Maps defined in BTF: `struct { __uint(type, 1); __type(key, __u16); … } ports SEC(".maps")`.
//!
//! The section `.maps` holds only zeros, the definition is the *type* of the variable. A number hides as the length of
//! an array that a member points to, a type as what a member points to:
//!
//! ```text
//! int (*max_entries)[1024];    PTR → ARRAY of 1024      → 1024
//! __u16 *key;                  PTR → __u16              → that type, and its size
//! ```

use std::collections::HashMap;

use super::{MapAttr, MapOrigin, MapSpec, Place, SpecError, map_values};
use crate::btf::{Btf, Kind, Member, Type, VarSecinfo};
use crate::elf::{Object, Section, Symbol};

/// Reads every map of the `.maps` section.
pub(super) fn read(object: &Object<'_>, section: &Section<'_>, btf: Option<&Btf<'_>>, maps: &mut Vec<MapSpec>) {
    let (btf, vars) = match definitions(btf) {
        Ok(found) => found,
        Err(error) => return maps.extend(undefined(object, section, &error)),
    };
    let first = maps.len();
    let globals = object.symbols_in(section.index).filter(|symbol| !symbol.is_local);
    let globals: HashMap<&str, u64> = globals.map(|symbol| (symbol.name.as_ref(), symbol.value)).collect();
    for secinfo in vars {
        let Ok(Type { name, kind: Kind::Var { ty, .. }, .. }) = btf.get(secinfo.var) else { continue };
        // clang fills in the offset of `static` variables only; the others have a symbol of their name.
        let offset = globals.get(name).copied().unwrap_or(secinfo.offset.into());
        let (place, extent) = (Place { section: section.index, offset }, u64::from(secinfo.size));
        maps.push(read_map(object, section, btf, name, ty, place, extent));
    }
    if let Some(new) = maps.get_mut(first..) {
        new.sort_by_key(|map| map.place);
    }
}

/// The variables of `.maps`, whose types are the definitions.
fn definitions<'a, 'data>(btf: Option<&'a Btf<'data>>) -> Result<(&'a Btf<'data>, Vec<VarSecinfo>), SpecError> {
    let problem = match btf.map(|btf| (btf, btf.datasec(".maps"))) {
        Some((btf, Some((_, Type { kind: Kind::Datasec { vars, .. }, .. })))) => return Ok((btf, vars)),
        Some(_) => "the object's BTF has no DATASEC of that name",
        None => "maps are defined by their BTF types, and the object has none that can be read: compile with -g",
    };
    Err(SpecError::invalid("section `.maps`", problem))
}

/// The maps that symbols name, each broken for the same reason.
fn undefined(object: &Object<'_>, section: &Section<'_>, error: &SpecError) -> Vec<MapSpec> {
    let map = |symbol: &Symbol<'_>| {
        let place = Place { section: section.index, offset: symbol.value };
        MapSpec::new(&symbol.name, place, symbol.size, MapOrigin::Btf, Err(error.clone()))
    };
    let mut maps: Vec<_> = object.symbols_in(section.index).map(map).collect();
    maps.sort_by_key(|map| map.place);
    maps
}

/// Reads one map: its definition, and what the object puts into it.
fn read_map(
    object: &Object<'_>,
    section: &Section<'_>,
    btf: &Btf<'_>,
    name: &str,
    ty: u32,
    place: Place,
    extent: u64,
) -> MapSpec {
    let invalid = |problem: String| SpecError::invalid(format!("map `{name}`"), problem);
    let broken = |error| MapSpec::new(name, place, extent, MapOrigin::Btf, Err(error));
    if place.offset.checked_add(extent).is_none_or(|end| end > section.size) {
        let problem =
            format!("{extent} bytes at {:#x} lie outside the section of {} bytes", place.offset, section.size);
        return broken(invalid(problem));
    }
    let Definition { attr, values, pin_by_name, .. } = match read_members(btf, name, ty) {
        Ok(definition) => definition,
        Err(error) => return broken(error),
    };
    let mut map = MapSpec::new(name, place, extent, MapOrigin::Btf, Ok(attr));
    map.pin_by_name = pin_by_name;
    if let Some(values) = values {
        match map_values::read(object, section, btf, &map, &values) {
            Ok((inner, slots)) => (map.inner, map.slots) = (inner, slots),
            Err(problem) => return broken(invalid(format!("`values` {problem}"))),
        }
    }
    map
}

/// What the members of a definition say.
#[derive(Default)]
pub(super) struct Definition<'data> {
    pub(super) attr: MapAttr,
    /// The member `values`: where it is, not yet what it holds.
    pub(super) values: Option<Member<'data>>,
    pin_by_name: bool,
    key_size: Option<u32>,
    value_size: Option<u32>,
}

/// Reads the members of the struct that is the variable's type.
pub(super) fn read_members<'data>(btf: &Btf<'data>, name: &str, ty: u32) -> Result<Definition<'data>, SpecError> {
    let invalid = |problem: String| SpecError::invalid(format!("map `{name}`"), problem);
    let (id, ty) = btf.resolve(ty)?;
    let Kind::Struct { members, .. } = &ty.kind else {
        return Err(invalid(format!("BTF type {id} is {}, expected a struct", ty.kind.name())));
    };
    let mut definition = Definition::default();
    for member in members {
        definition.take(btf, *member).map_err(|problem| invalid(format!("`{}` {problem}", member.name)))?;
    }
    let Definition { attr, key_size, value_size, .. } = &mut definition;
    if attr.map_type == 0 {
        return Err(invalid("no `type`: __uint(type, BPF_MAP_TYPE_…) is missing".to_owned()));
    }
    attr.key_size = key_size.unwrap_or(0);
    attr.value_size = value_size.unwrap_or(0);
    Ok(definition)
}

impl<'data> Definition<'data> {
    /// Takes over what one member says.
    fn take(&mut self, btf: &Btf<'data>, member: Member<'data>) -> Result<(), String> {
        let Self { attr, key_size, value_size, .. } = self;
        let number = || number(btf, &member);
        match member.name {
            "type" => attr.map_type = number()?,
            "max_entries" => attr.max_entries = number()?,
            "map_flags" => attr.map_flags |= number()?,
            "map_extra" => attr.map_extra = long(btf, &member)?,
            "numa_node" => {
                attr.numa_node = number()?;
                attr.map_flags |= BPF_F_NUMA_NODE;
            }
            "pinning" => match number()? {
                pinning @ (0 | 1) => self.pin_by_name = pinning == 1,
                other => return Err(format!("is {other}, expected 0 or 1 (by name)")),
            },
            "key_size" => set_size(key_size, number()?)?,
            "value_size" => set_size(value_size, number()?)?,
            "key" => {
                let (id, size) = pointee(btf, &member)?;
                attr.btf_key_type_id = id;
                set_size(key_size, size)?;
            }
            "value" => {
                let (id, size) = pointee(btf, &member)?;
                attr.btf_value_type_id = id;
                set_size(value_size, size)?;
            }
            "values" => {
                self.values = Some(member);
                // What it holds is a descriptor on the way in, and an id on the way out.
                set_size(value_size, 4)?;
            }
            _ => return Err(format!("is unknown, expected one of {KNOWN}")),
        }
        Ok(())
    }
}

const KNOWN: &str =
    "type, key, value, key_size, value_size, max_entries, map_flags, numa_node, map_extra, pinning, values";
const BPF_F_NUMA_NODE: u32 = 1 << 2;

/// `int (*name)[N]` → N.
fn number(btf: &Btf<'_>, member: &Member<'_>) -> Result<u32, String> {
    let found = |what: &str| format!("is {what}, expected a pointer to an array: __uint({}, …)", member.name);
    let (_, pointer) = btf.resolve(member.ty).map_err(|e| e.to_string())?;
    let Kind::Ptr(target) = pointer.kind else { return Err(found(pointer.kind.name())) };
    let (_, array) = btf.resolve(target).map_err(|e| e.to_string())?;
    match array.kind {
        Kind::Array(array) => Ok(array.count),
        other => Err(found(&format!("a pointer to {}", other.name()))),
    }
}

/// `int (*name)[N]` → N, or of 64 bits: `enum { value = N } name` → N.
fn long(btf: &Btf<'_>, member: &Member<'_>) -> Result<u64, String> {
    match btf.resolve(member.ty).map_err(|e| e.to_string())?.1.kind {
        Kind::Enum { items, .. } => match items.as_slice() {
            [item] => Ok(item.value.cast_unsigned()),
            items => Err(format!("is an enum of {} values, expected one: __ulong({}, …)", items.len(), member.name)),
        },
        _ => number(btf, member).map(u64::from),
    }
}

/// `T *name` → the number of T, and its size in bytes.
fn pointee(btf: &Btf<'_>, member: &Member<'_>) -> Result<(u32, u32), String> {
    let (_, pointer) = btf.resolve(member.ty).map_err(|e| e.to_string())?;
    let Kind::Ptr(target) = pointer.kind else {
        return Err(format!("is {}, expected a pointer: __type({}, …)", pointer.kind.name(), member.name));
    };
    let size = btf.size_of(target).map_err(|e| e.to_string())?;
    Ok((target, u32::try_from(size).map_err(|_| format!("is of a type of {size} bytes"))?))
}

/// A size may be given twice, as a number and by a type, if both agree.
fn set_size(size: &mut Option<u32>, new: u32) -> Result<(), String> {
    match size.replace(new) {
        Some(old) if old != new => Err(format!("says {new} bytes, but another member said {old}")),
        _ => Ok(()),
    }
}
