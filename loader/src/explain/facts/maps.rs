//! The maps: how each is defined, and whether it will be there.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Bytes;
use super::definition::{self, Member};
use crate::plan::{MapCreate, MapId, Plan};
use crate::spec::{Extern, ExternKind, MapAttr, MapOrigin, MapSpec, Place, Spec};
use crate::uapi::names;

/// One map of the object.
#[derive(Debug, Clone, Serialize)]
pub struct MapFacts {
    /// Its name.
    pub name: String,
    /// The section that defines it.
    pub section: String,
    /// Where the definition begins in it, in bytes.
    pub offset: u64,
    /// `btf`, `legacy`, `data`, or `config` for the externs of `.kconfig`.
    pub origin: &'static str,
    /// The definition, member by member.
    pub definition: Vec<Member>,
    /// Its type, as bpftool writes it.
    pub r#type: String,
    /// Bytes of a key.
    pub bytes_key: u32,
    /// Bytes of a value.
    pub bytes_value: u32,
    /// Entries; bytes for a ring buffer.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
    /// For a data section: what lies in it.
    pub variables: Vec<Variable>,
    /// For a map of maps or programs: what its slots hold, as `[2] = ports`.
    pub slots: Vec<String>,
    /// Whether it will be created.
    pub created: bool,
    /// Why it is, or is not.
    pub why: String,
    /// What was changed against the definition, and what the object asks for in vain.
    pub adjusted: Vec<String>,
    /// Why it cannot be created.
    pub error: Option<String>,
    /// The data section, or the legacy definition.
    #[serde(skip)]
    pub bytes: Bytes,
}

/// A global variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Bytes from the start of the section.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

/// Who needs which map: programs, and maps that hold it.
#[derive(Default)]
struct Needs<'a> {
    programs: BTreeMap<MapId, Vec<&'a str>>,
    maps: BTreeMap<Place, Vec<&'a str>>,
}

/// All maps.
pub(super) fn all(spec: &Spec<'_>, plan: Option<&Plan>) -> Vec<MapFacts> {
    let mut needs = Needs::default();
    for program in plan.iter().flat_map(|plan| plan.prog_loads()) {
        for id in program.map_ids() {
            needs.programs.entry(id).or_default().push(&program.name);
        }
    }
    for (outer, slot) in spec.maps.iter().flat_map(|outer| outer.slots.iter().map(move |slot| (outer, slot))) {
        needs.maps.entry(slot.holds).or_default().push(&outer.name);
    }
    let variables = definition::variables(spec);
    let all = spec.maps.iter().enumerate().map(|(index, map)| (MapId(index), map));
    all.map(|(id, map)| {
        let definition = definition::members(spec, &variables, map);
        one(spec, map, definition, plan, (id, why(plan, &needs, id, map)))
    })
    .collect()
}

fn one(
    spec: &Spec<'_>,
    map: &MapSpec,
    definition: Vec<Member>,
    plan: Option<&Plan>,
    (id, why): (MapId, String),
) -> MapFacts {
    let create = plan.and_then(|plan| plan.map(id));
    let is_reused = plan.is_some_and(|plan| plan.reused_from(id).is_some());
    let attr = create.map_or(map.attr, |create| create.attr);
    let section = spec.object.sections.get(map.place.section);
    let data = section.map_or(&[][..], |section| section.data);
    let start = map.place.offset as usize;
    let extent = data.get(start..start.saturating_add(map.extent as usize)).unwrap_or_default();
    MapFacts {
        name: map.name.clone(),
        section: section.map_or_else(|| map.name.clone(), |section| section.name.to_string()),
        offset: map.place.offset,
        origin: origin(map),
        definition,
        r#type: names::map_type_short(attr.map_type),
        bytes_key: attr.key_size,
        bytes_value: attr.value_size,
        max_entries: attr.max_entries,
        flags: attr.map_flags,
        variables: variables(spec, map),
        slots: map.slots.iter().map(|slot| format!("[{}] = {}", slot.index, name_of(spec, slot.holds))).collect(),
        created: create.is_some() && !is_reused,
        why,
        adjusted: create.map_or_else(Vec::new, |create| adjustments(&map.attr, create)),
        error: map.broken.as_ref().map(ToString::to_string),
        bytes: Bytes(extent.to_vec()),
    }
}

fn origin(map: &MapSpec) -> &'static str {
    match map.origin {
        _ if map.is_config() => "config",
        MapOrigin::Btf => "btf",
        MapOrigin::Legacy => "legacy",
        MapOrigin::Data { .. } => "data",
    }
}

/// The variables of a data section, or of `.kconfig`.
fn variables(spec: &Spec<'_>, map: &MapSpec) -> Vec<Variable> {
    let MapOrigin::Data { .. } = map.origin else { return Vec::new() };
    if map.is_config() {
        return config_variables(spec);
    }
    let symbols = spec.object.symbols_in(map.place.section).filter(|symbol| !symbol.name.is_empty());
    let variable = |symbol: &crate::elf::Symbol<'_>| Variable {
        name: symbol.name.to_string(),
        offset: symbol.value,
        size: symbol.size,
    };
    let mut variables: Vec<_> = symbols.map(variable).collect();
    variables.sort_by_key(|variable| variable.offset);
    variables
}

fn config_variables(spec: &Spec<'_>) -> Vec<Variable> {
    let variable = |external: &Extern| match external.kind {
        ExternKind::Config { size, offset, .. } => {
            Some(Variable { name: external.name.clone(), offset: offset.into(), size: size.into() })
        }
        _ => None,
    };
    let mut variables: Vec<_> = spec.externs.iter().filter_map(variable).collect();
    variables.sort_by_key(|variable| variable.offset);
    variables
}

/// The name of what begins at a place.
fn name_of(spec: &Spec<'_>, place: Place) -> String {
    let function = spec.functions.at(place).map(|function| function.name.clone());
    let map = || spec.map_at(place).map(|(_, map)| map.name.clone());
    function.or_else(map).unwrap_or_else(|| "nothing that can be found".to_owned())
}

/// Why a map will be there, or will not.
fn why(plan: Option<&Plan>, needs: &Needs<'_>, id: MapId, map: &MapSpec) -> String {
    let Some(plan) = plan else { return "not created: there is no program to load".to_owned() };
    if plan.map(id).is_none() {
        let reason =
            if map.broken.is_some() { "its definition makes no sense" } else { "no program to be loaded reaches it" };
        return format!("not created: {reason}");
    }
    let names = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let programs = needs.programs.get(&id).map_or(&[][..], Vec::as_slice);
    let holders = needs.maps.get(&map.place).map_or(&[][..], Vec::as_slice);
    let fate = plan
        .reused_from(id)
        .map_or("created".to_owned(), |path| format!("not created, but reused from {}", path.display()));
    match (programs, holders) {
        ([], holders) => format!("{fate}: held by map {}", names(holders)),
        ([one], _) => format!("{fate}: program `{one}` uses it"),
        (several, _) => format!("{fate}: programs {} use it", names(several)),
    }
}

/// What the plan made of the definition.
fn adjustments(asked: &MapAttr, create: &MapCreate) -> Vec<String> {
    let mut adjusted = Vec::new();
    let given = &create.attr;
    for (field, old, new) in [
        ("key_size", asked.key_size, given.key_size),
        ("value_size", asked.value_size, given.value_size),
        ("max_entries", asked.max_entries, given.max_entries),
    ] {
        if old != new {
            adjusted.push(format!("{field} {old} -> {new}"));
        }
    }
    if (asked.btf_key_type_id, asked.btf_value_type_id) != (given.btf_key_type_id, given.btf_value_type_id) {
        adjusted.push("given without types: the kernel takes none for such a map or key".to_owned());
    }
    adjusted.extend(create.adjusted.clone());
    adjusted.extend(create.warning.clone());
    adjusted
}
