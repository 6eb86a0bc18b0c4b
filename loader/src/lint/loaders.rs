//! Whether other loaders would take a program: libbpf 1.x, cilium/ebpf and aya as of 2026, by what is known of them.
//!
//! Only reasons that the object itself shows are known here; that there is none is no promise.

use serde::Serialize;

use super::object::{common_symbols, static_maps};
use crate::elf::{Section, SymbolKind};
use crate::plan::{Fate, Plan, ProgLoad, ProgramPlan};
use crate::spec::{MapOrigin, MapSpec, Spec};

/// Why each of three loaders would refuse a program; an empty list is no reason against it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LoadsIn {
    /// The program.
    pub program: String,
    /// libbpf 1.x, bpftool included.
    pub libbpf: Vec<String>,
    /// cilium/ebpf.
    #[serde(rename = "cilium/ebpf")]
    pub cilium: Vec<String>,
    /// aya.
    pub aya: Vec<String>,
}

impl LoadsIn {
    /// Each loader by its name, with its reasons.
    pub fn each(&self) -> [(&'static str, &[String]); 3] {
        [("libbpf", &self.libbpf), ("cilium/ebpf", &self.cilium), ("aya", &self.aya)]
    }

    /// `libbpf yes, cilium/ebpf yes, aya no (…)`.
    pub fn text(&self) -> String {
        let each = self.each().map(|(loader, reasons)| match reasons {
            [] => format!("{loader} yes"),
            reasons => format!("{loader} no ({})", reasons.join("; ")),
        });
        each.join(", ")
    }

    fn all(&mut self, reason: &str) {
        for reasons in [&mut self.libbpf, &mut self.cilium, &mut self.aya] {
            reasons.push(reason.to_owned());
        }
    }
}

/// What is known against each socket filter of the object, or against the object as a whole.
pub fn loads_in_others(spec: &Spec<'_>, plan: &Plan) -> Vec<LoadsIn> {
    let loaded = |program: &ProgramPlan| match program.fate {
        Fate::Load(id) | Fate::Sibling(id) => plan.prog_loads().find(|load| load.id == id),
        Fate::Skip | Fate::Unlinkable(_) => None,
    };
    plan.programs.iter().map(|program| loads_in(spec, program, loaded(program))).collect()
}

fn loads_in(spec: &Spec<'_>, program: &ProgramPlan, loaded: Option<&ProgLoad>) -> LoadsIn {
    let mut known = LoadsIn { program: program.name.clone(), ..LoadsIn::default() };
    section(&mut known, &program.section);
    if let Some(load) = loaded {
        pieces(&mut known, spec, load);
    }
    neighbours(&mut known, spec, &program.section);
    definitions(&mut known, spec);
    if spec.object.is_big_endian {
        known.all("big-endian");
    }
    known
}

/// The spelling of its section.
fn section(known: &mut LoadsIn, section: &str) {
    let bare = section.strip_prefix('?').unwrap_or(section);
    if bare != "socket" {
        known.libbpf.push(format!("section `{section}` is not `socket`"));
    }
    if !bare.starts_with("socket") {
        known.cilium.push(format!("section `{section}` does not begin with `socket`"));
    }
    if bare != section || !is_known_to_aya(section) {
        known.aya.push(format!("section `{section}` is none that it knows"));
    }
}

fn is_known_to_aya(section: &str) -> bool {
    section == "socket" || section.starts_with("socket/")
}

/// Where its functions lie, and whether its own is static.
fn pieces(known: &mut LoadsIn, spec: &Spec<'_>, load: &ProgLoad) {
    let Some((own, callees)) = load.pieces.split_first() else { return };
    let is_static = |symbol: &crate::elf::Symbol<'_>| {
        symbol.value == own.place.offset && symbol.kind == SymbolKind::Func && symbol.is_local
    };
    if spec.object.symbols_in(own.place.section).any(is_static) {
        known.libbpf.push("the program is static".to_owned());
    }
    let name = |index: usize| spec.object.sections.get(index).map_or("", |section| section.name.as_ref());
    let foreign = callees.iter().map(|piece| piece.place.section);
    if let Some(section) = foreign.into_iter().find(|index| *index != own.place.section && name(*index) != ".text") {
        known.libbpf.push(format!("it calls a function of section `{}`", name(section)));
    }
}

/// Other code in the object: libbpf and aya refuse all of it for one section that they do not know. Whether they know one that is
/// not a socket filter's is not judged here.
fn neighbours(known: &mut LoadsIn, spec: &Spec<'_>, own: &str) {
    let is_neighbour = |section: &&Section<'_>| section.is_code && !section.data.is_empty() && section.name != own;
    for section in spec.object.sections.iter().filter(is_neighbour) {
        let name = section.name.as_ref();
        let bare = name.trim_start_matches('?');
        let beside = || format!("section `{name}` beside it is none that it knows");
        if bare.starts_with("socket") && bare != "socket" {
            known.libbpf.push(beside());
        }
        if bare.starts_with("socket") && !is_known_to_aya(name) {
            known.aya.push(beside());
        }
    }
}

/// Maps, data and externs.
fn definitions(known: &mut LoadsIn, spec: &Spec<'_>) {
    if let Some(name) = static_maps(spec).next() {
        known.all(&format!("map `{name}` is static"));
    }
    if let Some(name) = common_symbols(spec).next() {
        known.all(&format!("`{name}` is a COMMON symbol"));
    }
    if spec.maps.iter().any(|map| map.origin == MapOrigin::Legacy) {
        known.libbpf.push("maps in a section `maps`, from before BTF".to_owned());
    }
    if spec.maps.iter().any(MapSpec::is_config) {
        known.aya.push("externs of .kconfig".to_owned());
    }
}
