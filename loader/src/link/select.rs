//! Which programs are loaded, in which order, and which maps they need.

use std::collections::{BTreeMap, BTreeSet};

use super::reach::Reach;
use super::{Options, PlanError};
use crate::plan::{Fate, LinkError, ProgId, ProgramPlan};
use crate::spec::{Place, Program, Spec};

/// The object's socket filters, each with whether it is to be loaded.
pub(super) fn choose<'spec>(
    spec: &'spec Spec<'_>,
    options: &Options,
) -> Result<Vec<(Program<'spec>, bool)>, PlanError> {
    let code = spec.object.sections.iter().filter(|section| section.is_code && !section.data.is_empty());
    let sections: Vec<_> = code.map(|section| section.name.to_string()).collect();
    if let Some(name) = options.section.clone().filter(|name| !sections.contains(name)) {
        return Err(PlanError::UnknownSection { name, known: sections });
    }
    let all: Vec<_> = spec.programs(options.section.as_deref()).collect();
    if all.is_empty() {
        let mut found: Vec<_> = sections.iter().map(|name| format!("`{name}`")).collect();
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

/// What is to be loaded.
pub(super) struct Selection {
    /// Indices of the maps that are needed.
    pub(super) maps: BTreeSet<usize>,
    /// The programs, siblings first: those that name them in an array come after. A program's number is its index here.
    pub(super) order: Vec<Place>,
    unlinkable: BTreeMap<Place, LinkError>,
}

impl Selection {
    /// Follows what each program that was asked for needs.
    pub(super) fn of(chosen: &[(Program<'_>, bool)], reach: &mut Reach<'_, '_>) -> Self {
        let asked = chosen.iter().filter(|(_, wanted)| *wanted).map(|(program, _)| program.function.place);
        let asked: BTreeSet<Place> = asked.collect();
        let (mut maps, mut programs) = (BTreeSet::new(), BTreeSet::new());
        let mut unlinkable = BTreeMap::new();
        for place in &asked {
            match reach.from(*place) {
                Ok(reached) => {
                    maps.extend(reached.maps);
                    programs.extend(reached.programs);
                }
                Err(error) => drop(unlinkable.insert(*place, error)),
            }
        }
        let (wanted, siblings): (Vec<_>, Vec<_>) = programs.into_iter().partition(|place| asked.contains(place));
        Self { maps, order: siblings.into_iter().chain(wanted).collect(), unlinkable }
    }

    /// The programs by place.
    pub(super) fn ids(&self) -> BTreeMap<Place, ProgId> {
        self.order.iter().enumerate().map(|(id, place)| (*place, ProgId(id))).collect()
    }

    /// What becomes of each of the object's programs.
    pub(super) fn fates(&self, chosen: &[(Program<'_>, bool)]) -> Vec<ProgramPlan> {
        let ids = self.ids();
        let fate = |place: Place, wanted: bool| match (self.unlinkable.get(&place), ids.get(&place)) {
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
        chosen.iter().map(plan_of).collect()
    }
}
