//! What a program needs: the maps that its instructions name, what those maps hold, and so on.
//!
//! A map of maps needs the maps in its slots; a program array needs programs, its *siblings*, which must be loaded before they
//! can be put in, and which have maps of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::budget;
use super::core::Core;
use super::externs::Externs;
use super::program::{self, Linked};
use crate::plan::{LinkError, LinkErrorKind};
use crate::spec::{Place, Program, Slot, Spec};

/// What one program, or several, need.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Indices of maps.
    pub(super) maps: BTreeSet<usize>,
    /// Places of programs, the one that was asked for among them.
    pub(super) programs: BTreeSet<Place>,
}

/// What a slot holds, found in the object.
pub(super) enum Found {
    Map(usize),
    Program(Place),
}

/// The object's programs, each linked at most once.
pub(super) struct Reach<'a, 'data> {
    spec: &'a Spec<'data>,
    core: &'a Core<'a>,
    externs: &'a Externs<'a, 'data>,
    programs: BTreeMap<Place, Program<'a>>,
    linked: BTreeMap<Place, Result<Linked, LinkError>>,
    /// Slots that programs yet to be linked may have.
    slots_left: usize,
}

impl<'a, 'data> Reach<'a, 'data> {
    pub(super) fn new(
        spec: &'a Spec<'data>,
        core: &'a Core<'a>,
        externs: &'a Externs<'a, 'data>,
        programs: impl Iterator<Item = Program<'a>>,
    ) -> Self {
        let programs = programs.map(|program| (program.function.place, program)).collect();
        let slots_left = budget::of(spec);
        Self { spec, core, externs, programs, linked: BTreeMap::new(), slots_left }
    }

    /// Everything that the program at `entry` needs.
    pub(super) fn from(&mut self, entry: Place) -> Result<Reached, LinkError> {
        let mut reached = Reached::default();
        let mut programs = vec![entry];
        while let Some(place) = programs.pop() {
            if !reached.programs.insert(place) {
                continue;
            }
            let mut maps = self.maps_of(place).map_err(|error| self.blame(entry, place, error))?;
            while let Some((index, insn)) = maps.pop() {
                if !reached.maps.insert(index) {
                    continue;
                }
                let Some(map) = self.spec.maps.get(index) else { continue };
                if let Some(broken) = &map.broken {
                    return Err(self.error(place, insn, LinkErrorKind::BrokenMap(Box::new(broken.clone()))));
                }
                for slot in &map.slots {
                    match self.find(slot) {
                        Some(Found::Map(inner)) => maps.push((inner, insn)),
                        Some(Found::Program(sibling)) => programs.push(sibling),
                        None => {
                            let kind = LinkErrorKind::BadSlot { map: map.name.clone(), index: slot.index };
                            return Err(self.error(place, insn, kind));
                        }
                    }
                }
            }
        }
        Ok(reached)
    }

    /// The map or program that a slot names.
    pub(super) fn find(&self, slot: &Slot) -> Option<Found> {
        if self.programs.contains_key(&slot.holds) {
            return Some(Found::Program(slot.holds));
        }
        let (index, map) = self.spec.map_at(slot.holds)?;
        (map.place == slot.holds).then_some(Found::Map(index))
    }

    /// The linked program at a place, taken out.
    pub(super) fn take(&mut self, place: Place) -> Option<(Program<'a>, Linked)> {
        Some((*self.programs.get(&place)?, self.linked.remove(&place)?.ok()?))
    }

    /// The maps that a program's instructions name, each with the slot that does.
    fn maps_of(&mut self, place: Place) -> Result<Vec<(usize, usize)>, LinkError> {
        let Some(program) = self.programs.get(&place) else { return Ok(Vec::new()) };
        let (spec, core, externs) = (self.spec, self.core, self.externs);
        let left = &mut self.slots_left;
        let linked = self
            .linked
            .entry(place)
            .or_insert_with(|| budget::take(left, program, || program::link(spec, core, externs, program.function)));
        let linked = linked.as_ref().map_err(Clone::clone)?;
        Ok(linked.patches.iter().filter_map(|patch| Some((patch.map()?.0, patch.insn))).collect())
    }

    /// A sibling's failure, as that of the program that needs it.
    fn blame(&self, entry: Place, place: Place, error: LinkError) -> LinkError {
        if place == entry {
            return error;
        }
        let name = self.programs.get(&place).map_or_else(String::new, |program| program.function.name.clone());
        self.error(entry, 0, LinkErrorKind::Sibling { name, error: Box::new(error) })
    }

    fn error(&self, place: Place, insn: usize, kind: LinkErrorKind) -> LinkError {
        let program = self.programs.get(&place);
        LinkError {
            program: program.map_or_else(String::new, |program| program.function.name.clone()),
            section: program.map_or_else(String::new, |program| program.section.to_owned()),
            insn: place.offset / 8 + insn as u64,
            kind,
        }
    }
}
