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
mod records;
mod set;

use std::collections::BTreeSet;

use thiserror::Error;

use crate::plan::{Fate, Plan, ProgId, ProgLoad, ProgramPlan, Step};
use crate::spec::{Program, Spec, SpecError};
use crate::target::Target;

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
        let mut programs = Vec::new();
        let mut loads = Vec::new();
        for (program, wanted) in choose(spec, options)? {
            let fate = match wanted {
                false => Fate::Skip,
                true => match program::link(spec, program.function) {
                    Err(error) => Fate::Unlinkable(error),
                    Ok(linked) => {
                        let id = ProgId(loads.len());
                        loads.push(prog_load(spec, id, &program, linked));
                        Fate::Load(id)
                    }
                },
            };
            let (name, section) = (program.function.name.clone(), program.section.to_owned());
            programs.push(ProgramPlan { name, section, fate });
        }

        let reached: BTreeSet<usize> = loads.iter().flat_map(ProgLoad::map_ids).map(|id| id.0).collect();
        let is_reached = |index: &usize| reached.contains(index);
        let needed = || spec.maps.iter().enumerate().filter(|(index, _)| is_reached(index));
        let values = set::Values::parse(spec, &options.set)?;
        if !loads.is_empty() {
            values.check_reached(spec, |index| reached.contains(&index))?;
        }

        let mut steps = Vec::new();
        if let (Some(btf), false) = (&spec.btf, loads.is_empty()) {
            steps.push(Step::BtfLoad(btf::for_upload(spec, btf)?));
        }
        steps.extend(needed().map(|(index, map)| Step::MapCreate(maps::create(index, map, target))));
        for (index, map) in needed() {
            steps.extend(data::contents(spec, index, map, &values));
        }
        steps.extend(loads.into_iter().map(Step::ProgLoad));
        let unused = spec.maps.iter().enumerate().filter(|(index, _)| !is_reached(index));
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
