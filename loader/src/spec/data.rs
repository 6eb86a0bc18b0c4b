//! Global variables: a data section becomes an array map of one entry, whose value is the section's bytes.
//!
//! That is why a program can use a global at all: an instruction may hold the address of a map's value
//! (`BPF_PSEUDO_MAP_VALUE`), and user space reads the same bytes through the same map.

use super::shared::has_shared_variable;
use super::{MapAttr, MapOrigin, MapSpec, Place, SpecError};
use crate::btf::Btf;
use crate::elf::{Object, Section};

const BPF_MAP_TYPE_ARRAY: u32 = 2;
/// The program may not write the map. `include/uapi/linux/bpf.h`, since 5.2.
pub(super) const BPF_F_RDONLY_PROG: u32 = 1 << 7;
/// User space may map the value into its memory. `include/uapi/linux/bpf.h`, since 5.5.
pub(super) const BPF_F_MMAPABLE: u32 = 1 << 10;

/// Reads a data section; `None` if `section` is none, or is empty.
pub(super) fn read(object: &Object<'_>, section: &Section<'_>, btf: Option<&Btf<'_>>) -> Option<MapSpec> {
    let read_only = is_data(&section.name).filter(|_| section.is_alloc && !section.is_code)?;
    if section.size == 0 {
        return None;
    }
    let place = Place { section: section.index, offset: 0 };
    let definition = attr(object, section, read_only, btf);
    Some(MapSpec::new(&section.name, place, section.size, MapOrigin::Data { read_only }, definition))
}

/// The array that holds a data section.
fn attr(
    object: &Object<'_>,
    section: &Section<'_>,
    read_only: bool,
    btf: Option<&Btf<'_>>,
) -> Result<MapAttr, SpecError> {
    let value_size = i32::try_from(section.size).map(i32::cast_unsigned).map_err(|_| {
        let problem = format!("{} bytes, but a map's value can have at most {}", section.size, i32::MAX);
        SpecError::invalid(format!("section `{}`", section.name), problem)
    })?;
    let datasec = btf.and_then(|btf| btf.datasec(&section.name));
    // Only variables that other files could name are meant to be seen from outside.
    let shared = datasec.as_ref().is_some_and(|(_, ty)| has_shared_variable(object, section, btf, &ty.kind));
    let map_flags = if read_only { BPF_F_RDONLY_PROG } else { 0 } | if shared { BPF_F_MMAPABLE } else { 0 };
    Ok(MapAttr { map_flags, btf_value_type_id: datasec.map_or(0, |(id, _)| id), ..array_of(value_size) })
}

/// An array of one value.
pub(super) fn array_of(value_size: u32) -> MapAttr {
    MapAttr { map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size, max_entries: 1, ..MapAttr::default() }
}

/// Whether a section of this name holds variables, and if so whether they are constant.
fn is_data(name: &str) -> Option<bool> {
    match name {
        _ if name.starts_with(".rodata") => Some(true),
        _ if name.starts_with(".data") || name.starts_with(".bss") => Some(false),
        _ => None,
    }
}
