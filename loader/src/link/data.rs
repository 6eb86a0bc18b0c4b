//! What a data section's map is filled with, and whether it is frozen.

use super::externs::Externs;
use super::set::Values;
use crate::plan::{MapFreeze, MapId, MapUpdate, Step};
use crate::spec::{MapOrigin, Spec};

/// The steps that fill a map: none for a map that the object does not initialise, or initialises with zeros, for that is
/// what a new array holds anyway.
pub(super) fn contents(spec: &Spec<'_>, index: usize, values: &Values, externs: &Externs<'_, '_>) -> Vec<Step> {
    let Some(map) = spec.maps.get(index) else { return Vec::new() };
    let MapOrigin::Data { read_only } = map.origin else { return Vec::new() };
    let id = MapId(index);
    let mut steps = Vec::new();
    let mut bytes = match spec.object.sections.get(map.place.section) {
        Some(section) => section.data.to_vec(),
        // `.kconfig` is in no file.
        None => externs.config_bytes(),
    };
    values.write_into(index, map.attr.value_size as usize, &mut bytes);
    if bytes.iter().any(|&byte| byte != 0) {
        steps.push(Step::MapUpdate(MapUpdate { map: id, key: vec![0; 4], value: bytes }));
    }
    if read_only {
        // The verifier treats the values of a frozen, read-only map as known numbers.
        steps.push(Step::MapFreeze(MapFreeze { map: id }));
    }
    steps
}
