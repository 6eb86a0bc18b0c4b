//! The system calls, field by field.

use serde_json::{Value as Json, json};

use super::sources;
use crate::explain::{Call, Planned, step};
use crate::plan::{MapCreate, Plan, ProgId, Step};
use crate::spec::{MapOrigin, Spec, is_socket_filter};

/// One system call.
#[derive(Debug, Clone)]
pub struct StepFacts {
    /// Its number, from 1.
    pub n: usize,
    /// The call.
    pub call: Call,
    /// Where the value of each field comes from, in the order of the call's fields.
    pub sources: Vec<&'static str>,
    /// The program that it loads.
    pub program: Option<ProgId>,
}

/// All steps of a plan.
pub(super) fn all(spec: &Spec<'_>, plan: &Plan) -> Vec<StepFacts> {
    plan.steps.iter().enumerate().map(|(index, step)| one(spec, plan, index + 1, step)).collect()
}

fn one(spec: &Spec<'_>, plan: &Plan, n: usize, the_step: &Step) -> StepFacts {
    let call = step(the_step, &Planned(plan));
    let command = call.command.unwrap_or(call.syscall);
    let origin = match the_step {
        Step::MapCreate(map) => origin(spec, map),
        Step::SlotUpdate(_) => sources::Origin::Slot,
        Step::ProgLoad(program) => sources::Origin::Program {
            by_name: is_socket_filter(&program.section),
            has_license: spec.object.section_named("license").is_some(),
        },
        _ => sources::Origin::Other,
    };
    let sources = call.fields.iter().map(|(field, _)| sources::of(command, field, origin)).collect();
    let program = match the_step {
        Step::ProgLoad(program) => Some(program.id),
        _ => None,
    };
    StepFacts { n, call, sources, program }
}

/// How the map of a step was defined; a pattern is no map of the object itself.
fn origin(spec: &Spec<'_>, map: &MapCreate) -> sources::Origin {
    match spec.maps.get(map.id.0).filter(|_| !map.is_pattern).map(|map| map.origin) {
        Some(MapOrigin::Btf) => sources::Origin::Btf,
        Some(MapOrigin::Legacy) => sources::Origin::Legacy,
        Some(MapOrigin::Data { .. }) => sources::Origin::Data,
        None => sources::Origin::Pattern,
    }
}

impl StepFacts {
    /// The call, and the source of each field that is known.
    pub(super) fn json(&self) -> Json {
        let mut line = self.call.json();
        let fields = self.call.fields.iter().zip(&self.sources);
        let sources: serde_json::Map<_, _> =
            fields.map(|((name, _), source)| ((*name).to_owned(), json!(source))).collect();
        if let Some(line) = line.as_object_mut() {
            line.insert("sources".to_owned(), Json::Object(sources));
        }
        line
    }
}
