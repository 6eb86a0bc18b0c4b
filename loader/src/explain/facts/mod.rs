//! What there is to say about an object, as plain data.
//!
//! The text of [`super::page`] and the JSON here are both made of these facts, so that they cannot contradict each other.

mod definition;
mod headers;
mod holes;
mod maps;
mod programs;
mod records;
mod sections;
mod sources;
mod steps;
mod types;
mod unpatched;

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::btf::value::hex;
use crate::lint::{self, Limits, Lint, LoadsIn};
use crate::plan::Plan;
use crate::spec::Spec;

pub use definition::Member;
pub use holes::HoleFacts;
pub use maps::{MapFacts, Variable};
pub use programs::{FunctionFacts, ProgramFacts};
pub use records::Record;
pub(in crate::explain) use sections::counted;
pub use sections::{Role, SectionFacts};
pub use steps::StepFacts;
pub use unpatched::{HOLES, HoleKind};

/// How far an explanation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// What the file says: its sections.
    Elf,
    /// What the maps are.
    Maps,
    /// The holes in the instructions, and what fills them.
    Reloc,
    /// Every system call.
    Plan,
}

/// What there is to say about an object.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Bytes in the file.
    pub file_size: usize,
    /// Whether the object is big-endian; then these are the facts about its little-endian twin.
    pub is_big_endian: bool,
    /// Its sections, by index.
    pub sections: Vec<SectionFacts>,
    /// Its maps, by section and offset.
    pub maps: Vec<MapFacts>,
    /// Its socket filters, by section and offset.
    pub programs: Vec<ProgramFacts>,
    /// What will go wrong, or not as it was meant.
    pub lints: Vec<Lint>,
    /// Whether other loaders would take each of its socket filters.
    pub loads_in: Vec<LoadsIn>,
    /// The system calls, in order.
    pub steps: Vec<StepFacts>,
}

/// How far the object could be read.
#[derive(Debug, Clone, Copy)]
pub struct Readings<'a> {
    /// The file.
    pub bytes: &'a [u8],
    /// What its sections and symbols mean.
    pub spec: &'a Spec<'a>,
    /// What will be done; `None` if nothing can be.
    pub plan: Option<&'a Plan>,
    /// The section that the user wants to be taken as socket filters.
    pub extra_section: Option<&'a str>,
    /// What the kernel does not allow.
    pub limits: Limits,
}

impl Facts {
    /// Collects what there is to say.
    pub fn of(readings: &Readings<'_>) -> Self {
        let (spec, plan) = (readings.spec, readings.plan);
        let programs = plan.map_or_else(Vec::new, |plan| programs::all(readings.bytes, spec, plan));
        Self {
            file_size: readings.spec.object.file_size,
            is_big_endian: readings.spec.object.is_big_endian,
            sections: sections::all(readings),
            maps: maps::all(spec, plan),
            lints: plan.map_or_else(Vec::new, |plan| lint::all(spec, plan, &readings.limits)),
            loads_in: plan.map_or_else(Vec::new, |plan| lint::loads_in_others(spec, plan)),
            steps: plan.map_or_else(Vec::new, |plan| steps::all(spec, plan)),
            programs,
        }
    }

    /// The facts as JSON lines: sections, map definitions, programs with their lints, then patches and steps. `raw` adds the bytes of sections.
    pub fn json(&self, until: Stage, raw: bool) -> Vec<Json> {
        let mut lines: Vec<_> = self.sections.iter().map(|section| line("section", section)).collect();
        for section in lines.iter_mut().filter(|_| !raw).filter_map(Json::as_object_mut) {
            section.shift_remove("bytes");
        }
        if until >= Stage::Maps {
            lines.extend(self.maps.iter().map(|map| line("mapdef", map)));
        }
        if until >= Stage::Reloc {
            lines.extend(self.programs.iter().map(|program| line("program", program)));
            lines.extend(self.lints.iter().map(Lint::json));
            lines.extend(self.loads_in.iter().map(|known| line("loads_in", known)));
        }
        match until {
            Stage::Reloc => lines.extend(self.programs.iter().flat_map(ProgramFacts::json_of_holes)),
            Stage::Plan => {
                for step in &self.steps {
                    lines.extend(self.loaded_by(step).into_iter().flat_map(ProgramFacts::json_of_holes));
                    lines.push(merged(json!({ "kind": "step", "n": step.n }), step.json()));
                }
            }
            Stage::Elf | Stage::Maps => {}
        }
        lines
    }

    /// The program that a step loads.
    pub fn loaded_by(&self, step: &StepFacts) -> Option<&ProgramFacts> {
        let id = step.program?;
        self.programs.iter().find(|program| program.id == Some(id))
    }
}

impl ProgramFacts {
    fn json_of_holes(&self) -> impl Iterator<Item = Json> {
        self.holes.iter().map(|hole| line("patch", hole))
    }
}

/// Bytes that JSON shows in hex.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

/// One JSON line of a kind.
fn line(kind: &str, facts: &impl Serialize) -> Json {
    // Facts are strings, numbers, lists and structs: nothing that JSON could refuse.
    merged(json!({ "kind": kind }), serde_json::to_value(facts).unwrap_or_default())
}

fn merged(mut first: Json, second: Json) -> Json {
    if let (Some(line), Json::Object(more)) = (first.as_object_mut(), second) {
        line.extend(more);
    }
    first
}

#[cfg(test)]
mod tests;
