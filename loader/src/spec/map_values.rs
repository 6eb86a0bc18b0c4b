//! Maps that hold maps or programs: the member `values` of a definition in `.maps`.
//!
//! ```text
//! struct inner { … };                          what an inner map looks like
//! __array(values, struct inner);               struct inner *values[]: an array of pointers to such maps
//! } outer SEC(".maps") = { .values = { [2] = &ports } };
//! ```
//!
//! The initialiser needs no value: a pointer is a hole, so each filled slot is a relocation record of `.maps` itself, at the
//! slot's byte, naming the map or the function.

use super::map_def::{Definition, read_members};
use super::{MapAttr, MapSpec, Place, Slot};
use crate::btf::{Btf, Kind, Member};
use crate::elf::{Object, Section, SymbolPlace};

const BPF_MAP_TYPE_PROG_ARRAY: u32 = 3;
const POINTER: u64 = 8;

/// Reads the pattern of the inner maps (none for programs), and the filled slots.
pub(super) fn read(
    object: &Object<'_>,
    section: &Section<'_>,
    btf: &Btf<'_>,
    map: &MapSpec,
    values: &Member<'_>,
) -> Result<(Option<MapAttr>, Vec<Slot>), String> {
    let pointee = pointee(btf, values)?;
    let inner = match btf.resolve(pointee).map_err(|e| e.to_string())?.1.kind {
        Kind::FuncProto { .. } if map.attr.map_type == BPF_MAP_TYPE_PROG_ARRAY => None,
        Kind::Struct { .. } => match read_members(btf, &map.name, pointee).map_err(|e| e.to_string())? {
            Definition { attr, values: None, .. } => Some(attr),
            Definition { .. } => return Err("of an inner map: the kernel allows no third level".to_owned()),
        },
        other => return Err(format!("points to {}, expected a map definition or a function", other.name())),
    };
    Ok((inner, slots(object, section, map, u64::from(values.bit_offset / 8))?))
}

/// `T *values[]` → T.
fn pointee(btf: &Btf<'_>, values: &Member<'_>) -> Result<u32, String> {
    let expected = |found: &str| format!("is {found}, expected an array of pointers: __array(values, …)");
    let (_, array) = btf.resolve(values.ty).map_err(|e| e.to_string())?;
    let Kind::Array(array) = array.kind else { return Err(expected(array.kind.name())) };
    match btf.resolve(array.element).map_err(|e| e.to_string())?.1.kind {
        Kind::Ptr(target) => Ok(target),
        other => Err(expected(&format!("an array of {}", other.name()))),
    }
}

/// The relocation records within the map's `values`, which begin at byte `start` of its definition.
fn slots(object: &Object<'_>, section: &Section<'_>, map: &MapSpec, start: u64) -> Result<Vec<Slot>, String> {
    let begin = map.place.offset.saturating_add(start);
    let end = map.place.offset.saturating_add(map.extent);
    let first = section.relocs.partition_point(|record| record.offset < begin);
    let mut slots = Vec::new();
    for record in section.relocs.iter().skip(first).take_while(|record| record.offset < end) {
        let bytes = record.offset - begin;
        let symbol = object.symbols.get(record.symbol).ok_or("names an unknown symbol")?;
        let SymbolPlace::Section(holder) = symbol.place else {
            return Err(format!("holds `{}`, which is not defined in this object", symbol.name));
        };
        // A `static` map or function is named by its section, and the addend lies in the slot.
        let in_place = section.data.get(record.offset as usize..).and_then(|rest| rest.first_chunk::<8>());
        let addend = record.addend.or(in_place.map(|bytes| i64::from_le_bytes(*bytes))).unwrap_or(0);
        let offset = symbol.value.wrapping_add(addend.cast_unsigned());
        if !bytes.is_multiple_of(POINTER) {
            return Err(format!("has a relocation at its byte {bytes}, expected a multiple of {POINTER}"));
        }
        slots.push(Slot { index: (bytes / POINTER) as u32, holds: Place { section: holder, offset } });
    }
    Ok(slots)
}
