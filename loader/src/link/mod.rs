//! [`Spec`] and [`Target`] → [`Plan`]: the loader's proper work, and all of it pure.
//!
//! 1. choose the programs;
//! 2. link each: append the functions that it calls, turn each relocation record into a [`crate::plan::Patch`];
//! 3. what the programs reach decides which maps are needed;
//! 4. write the steps down: BTF, maps, their contents, programs.

mod btf;
mod budget;
mod core;
mod data;
mod error;
mod externs;
mod linkage;
mod maps;
mod pin;
mod program;
mod reach;
mod records;
mod select;
mod set;
mod slots;

use crate::plan::{MapId, Plan, ProgId, ProgLoad, Step};
use crate::spec::{Program, Spec};
use crate::target::Target;

use self::core::Core;
pub use error::PlanError;
use externs::Externs;
pub use pin::{PinError, PinOptions};
use reach::Reach;
use select::Selection;
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
    /// What is pinned, and which pinned maps are reused.
    pub pins: PinOptions,
}

impl Plan {
    /// Plans a load. The same object, options and target give the same plan.
    ///
    /// A program that cannot be linked does not spoil the others: its [`Fate`](crate::plan::Fate) says why.
    ///
    /// # Errors
    ///
    /// There is no socket filter, a name in `options` does not exist, or a global cannot take the value.
    pub fn new(spec: &Spec<'_>, options: &Options, target: &Target) -> Result<Self, PlanError> {
        let chosen = select::choose(spec, options)?;
        let core = Core::new(spec, &target.btf).map_err(PlanError::Target)?;
        let externs = Externs::new(spec, &core, target);
        let mut reach = Reach::new(spec, &core, &externs, chosen.iter().map(|(program, _)| *program));
        let selection = Selection::of(&chosen, &mut reach);
        let values = set::Values::parse(spec, &options.set)?;

        let mut steps = Vec::new();
        if !selection.order.is_empty() {
            values.check_reached(spec, |index| selection.maps.contains(&index))?;
            if let Some(btf) = &spec.btf {
                steps.push(Step::BtfLoad(btf::for_upload(spec, btf)));
            }
        }
        steps.extend(maps::create_all(spec, &selection.maps, &reach, target));
        let (map_slots, prog_slots) = slots::fill(spec, &selection, &reach);
        for index in &selection.maps {
            steps.extend(data::contents(spec, *index, &values, &externs));
            steps.extend(map_slots.iter().filter(|slot| slot.map == MapId(*index)).copied().map(Step::SlotUpdate));
        }
        for (id, place) in selection.order.iter().enumerate() {
            if let Some((program, linked)) = reach.take(*place) {
                steps.push(Step::ProgLoad(prog_load(spec, ProgId(id), &program, linked)));
            }
        }
        steps.extend(prog_slots.into_iter().map(Step::SlotUpdate));
        let steps = pin::rewrite(spec, &options.pins, target, &values, steps)?;

        let unused = spec.maps.iter().enumerate().filter(|(index, _)| !selection.maps.contains(index));
        let unused_maps = unused.map(|(_, map)| map.name.clone()).collect();
        Ok(Self { steps, programs: selection.fates(&chosen), unused_maps })
    }
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
        pieces: linked.pieces,
        func_info,
        line_info,
    }
}

#[cfg(test)]
mod tests;
