//! [`Spec`] and [`Target`] → [`Plan`]: the loader's proper work, and all of it pure.
//!
//! 1. choose the programs;
//! 2. link each: append the functions that it calls, turn each relocation record into a [`crate::plan::Patch`];
//! 3. what the programs reach decides which maps are needed;
//! 4. write the steps down: BTF, maps, their contents, programs.

mod btf;
mod data;
mod maps;
mod program;
mod reach;
mod records;
mod set;
mod slots;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::plan::{Fate, MapId, Plan, ProgId, ProgLoad, ProgramPlan, Step};
use crate::spec::{Place, Program, Spec, SpecError};
use crate::target::Target;

use reach::{Reach, Reached};
pub use set::SetError;

/// What the user chose.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Load this program only; by default all that are not `?socket`.
    pub program: Option<String>,
    /// Treat the functions of this section as socket filters too, whatever its name.
    pub section: Option<String>,
    /// Globals to be set before the load: name and value, as written.
    pub set: Vec<(String, String)>,
}

/// Why there is no plan at all.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum PlanError {
    /// No section of the object holds a socket filter.
    #[error("no socket filter in this object: its code is in {}", found.join(", "))]
    NoProgram {
        /// The code sections that there are.
        found: Vec<String>,
    },
    /// `program` names none of the object's.
    #[error("no program `{name}` in this object; there are: {}", known.join(", "))]
    UnknownProgram {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A global cannot be set.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A map or its types make no sense.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

impl Plan {
    /// Plans a load. The same object, options and target give the same plan.
    ///
    /// A program that cannot be linked does not spoil the others: its [`Fate`] says why.
    ///
    /// # Errors
    ///
    /// There is no socket filter, a name in `options` does not exist, or a global cannot take the value.
    pub fn new(spec: &Spec<'_>, options: &Options, target: &Target) -> Result<Self, PlanError> {
        let chosen = choose(spec, options)?;
        let mut reach = Reach::new(spec, chosen.iter().map(|(program, _)| *program));
        let mut needed = Reached::default();
        let mut unlinkable = BTreeMap::new();
        for (program, _) in chosen.iter().filter(|(_, wanted)| *wanted) {
            match reach.from(program.function.place) {
                Ok(reached) => {
                    needed.maps.extend(reached.maps);
                    needed.programs.extend(reached.programs);
                }
                Err(error) => drop(unlinkable.insert(program.function.place, error)),
            }
        }

        // Siblings first: the programs that name them in an array come after.
        let asked = chosen.iter().filter(|(_, wanted)| *wanted).map(|(program, _)| program.function.place);
        let asked: BTreeSet<Place> = asked.collect();
        let (wanted, siblings): (Vec<_>, Vec<_>) = needed.programs.iter().partition(|place| asked.contains(place));
        let order: Vec<Place> = siblings.into_iter().chain(wanted).collect();
        let ids: BTreeMap<Place, ProgId> = order.iter().enumerate().map(|(id, place)| (*place, ProgId(id))).collect();
        let fate = |place: Place, wanted: bool| match (unlinkable.get(&place), ids.get(&place)) {
            (Some(error), _) => Fate::Unlinkable(error.clone()),
            (None, Some(id)) if wanted => Fate::Load(*id),
            (None, Some(id)) => Fate::Sibling(*id),
            (None, None) => Fate::Skip,
        };
        let plan_of = |(program, wanted): &(Program<'_>, bool)| ProgramPlan {
            name: program.function.name.clone(),
            section: program.section.to_owned(),
            fate: fate(program.function.place, *wanted),
        };
        let programs = chosen.iter().map(plan_of).collect();

        let values = set::Values::parse(spec, &options.set)?;
        let mut steps = Vec::new();
        if !order.is_empty() {
            values.check_reached(spec, |index| needed.maps.contains(&index))?;
            if let Some(btf) = &spec.btf {
                steps.push(Step::BtfLoad(btf::for_upload(spec, btf)?));
            }
        }
        steps.extend(maps::create_all(spec, &needed.maps, &reach, target));
        let (map_slots, prog_slots) = slots::fill(spec, &needed.maps, &reach, &ids);
        for index in &needed.maps {
            steps.extend(data::contents(spec, *index, &values));
            steps.extend(map_slots.iter().filter(|slot| slot.map == MapId(*index)).copied().map(Step::SlotUpdate));
        }
        let load = |place: &Place| {
            let (program, linked) = reach.take(*place)?;
            Some(Step::ProgLoad(prog_load(spec, *ids.get(place)?, &program, linked)))
        };
        steps.extend(order.iter().filter_map(load));
        steps.extend(prog_slots.into_iter().map(Step::SlotUpdate));
        let unused = spec.maps.iter().enumerate().filter(|(index, _)| !needed.maps.contains(index));
        Ok(Self { steps, programs, unused_maps: unused.map(|(_, map)| map.name.clone()).collect() })
    }
}

/// The object's socket filters, each with whether it is to be loaded.
fn choose<'spec>(spec: &'spec Spec<'_>, options: &Options) -> Result<Vec<(Program<'spec>, bool)>, PlanError> {
    let all: Vec<_> = spec.programs(options.section.as_deref()).collect();
    if all.is_empty() {
        let code = spec.object.sections.iter().filter(|section| section.is_code && !section.data.is_empty());
        let mut found: Vec<_> = code.map(|section| format!("`{}`", section.name)).collect();
        if found.is_empty() {
            found.push("no section".to_owned());
        }
        return Err(PlanError::NoProgram { found });
    }
    let Some(name) = &options.program else {
        return Ok(all.into_iter().map(|program| (program, program.autoload)).collect());
    };
    if !all.iter().any(|program| program.function.name == *name) {
        let known = all.iter().map(|program| program.function.name.clone()).collect();
        return Err(PlanError::UnknownProgram { name: name.clone(), known });
    }
    Ok(all.into_iter().map(|program| (program, program.function.name == *name)).collect())
}

fn prog_load(spec: &Spec<'_>, id: ProgId, program: &Program<'_>, linked: program::Linked) -> ProgLoad {
    let (func_info, line_info) = records::slice(spec, &linked.pieces);
    ProgLoad {
        id,
        name: program.function.name.clone(),
        section: program.section.to_owned(),
        license: spec.license.clone(),
        insns: linked.insns,
        patches: linked.patches,
        func_info,
        line_info,
    }
}

#[cfg(test)]
mod tests;
