//! Whether other loaders would take a program: libbpf 1.x, cilium/ebpf and aya as of 2026, by what is known of them.
//!
//! Only reasons that the object itself shows are known here; that there is none is no promise.

use std::collections::BTreeSet;

use serde::Serialize;

use super::object::{common_symbols, static_maps};
use crate::elf::{SymbolKind, SymbolPlace};
use crate::plan::{Fate, Plan, ProgLoad, ProgramPlan};
use crate::spec::{MapOrigin, MapSpec, Place, Spec};

/// Why each of three loaders would refuse a program; an empty list is no reason against it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LoadsIn {
    /// The program.
    pub program: String,
    /// libbpf 1.x.
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

/// What is known against each socket filter of the object, or against the object as a whole. Of a program that cannot be linked
/// nothing is said: what is wrong with it is wrong for other loaders too, or not, each in its own way.
pub fn loads_in_others(spec: &Spec<'_>, plan: &Plan) -> Vec<LoadsIn> {
    let object = Whole::of(spec);
    let loaded = |program: &ProgramPlan| match program.fate {
        Fate::Load(id) | Fate::Sibling(id) => plan.prog_loads().find(|load| load.id == id),
        Fate::Skip | Fate::Unlinkable(_) => None,
    };
    let linked = plan.programs.iter().filter(|program| !matches!(program.fate, Fate::Unlinkable(_)));
    linked.map(|program| object.loads_in(spec, program, loaded(program))).collect()
}

/// What is the same for all programs, collected once.
struct Whole<'a> {
    /// What is known against every program.
    known: LoadsIn,
    /// Sections of socket filters with names that not every loader knows.
    odd: Vec<&'a str>,
    /// Where functions that are static begin.
    statics: BTreeSet<Place>,
}

impl<'a> Whole<'a> {
    fn of(spec: &'a Spec<'_>) -> Self {
        let code = spec.object.sections.iter().filter(|section| section.is_code && !section.data.is_empty());
        let names = code.map(|section| section.name.as_ref());
        let odd = names.filter(|name| bare(name).starts_with("socket") && *name != "socket").collect();
        let local = spec.object.symbols.iter().filter(|symbol| symbol.is_local && symbol.kind == SymbolKind::Func);
        let statics = local.filter_map(|symbol| match symbol.place {
            SymbolPlace::Section(section) => Some(Place { section, offset: symbol.value }),
            _ => None,
        });
        Self { known: definitions(spec), odd, statics: statics.collect() }
    }

    fn loads_in(&self, spec: &Spec<'_>, program: &ProgramPlan, loaded: Option<&ProgLoad>) -> LoadsIn {
        let mut known = LoadsIn { program: program.name.clone(), ..self.known.clone() };
        section(&mut known, &program.section);
        if let Some(load) = loaded {
            self.pieces(&mut known, spec, load);
        }
        self.neighbours(&mut known, &program.section);
        known
    }

    /// Where its functions lie, and whether its own is static.
    fn pieces(&self, known: &mut LoadsIn, spec: &Spec<'_>, load: &ProgLoad) {
        let Some((own, callees)) = load.pieces.split_first() else { return };
        if self.statics.contains(&own.place) {
            known.libbpf.push("the program is static".to_owned());
        }
        let name = |index: usize| spec.object.sections.get(index).map_or("", |section| section.name.as_ref());
        let mut foreign = callees.iter().map(|piece| piece.place.section);
        if let Some(section) = foreign.find(|index| *index != own.place.section && name(*index) != ".text") {
            known.libbpf.push(format!("it calls a function of section `{}`", name(section)));
        }
    }

    /// Other code in the object: libbpf and aya refuse all of it for one section that they do not know. Whether they know one that is
    /// not a socket filter's is not judged here.
    fn neighbours(&self, known: &mut LoadsIn, own: &str) {
        let beside = |name: &&str| format!("section `{name}` beside it is none that it knows");
        let others = || self.odd.iter().filter(|name| **name != own);
        known.libbpf.extend(others().find(|name| bare(name) != "socket").map(beside));
        known.aya.extend(others().find(|name| !is_known_to_aya(name)).map(beside));
    }
}

/// The name of a section without the mark of a program that is only loaded by name.
fn bare(section: &str) -> &str {
    section.strip_prefix('?').unwrap_or(section)
}

fn is_known_to_aya(section: &str) -> bool {
    section == "socket" || section.starts_with("socket/")
}

/// The spelling of its section.
fn section(known: &mut LoadsIn, section: &str) {
    if bare(section) != "socket" {
        known.libbpf.push(format!("section `{section}` is not `socket`"));
    }
    if !bare(section).starts_with("socket") {
        known.cilium.push(format!("section `{section}` does not begin with `socket`"));
    }
    if !is_known_to_aya(section) {
        known.aya.push(format!("section `{section}` is none that it knows"));
    }
}

/// Maps, data, externs and byte order.
fn definitions(spec: &Spec<'_>) -> LoadsIn {
    let mut known = LoadsIn::default();
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
    if spec.object.is_big_endian {
        known.all("big-endian");
    }
    known
}
