//! The slots of maps of maps and of programs that the object fills.

use super::reach::{Found, Reach};
use super::select::Selection;
use crate::plan::{Held, MapId, SlotUpdate};
use crate::spec::Spec;

/// The filled slots of the needed maps: those that hold maps, and those that hold programs.
pub(super) fn fill(
    spec: &Spec<'_>,
    selection: &Selection,
    reach: &Reach<'_, '_>,
) -> (Vec<SlotUpdate>, Vec<SlotUpdate>) {
    let ids = selection.ids();
    let mut slots = Vec::new();
    for (index, map) in selection.maps.iter().filter_map(|index| Some((*index, spec.maps.get(*index)?))) {
        for slot in &map.slots {
            let holds = match reach.find(slot) {
                Some(Found::Map(inner)) => Some(Held::Map(MapId(inner))),
                Some(Found::Program(place)) => ids.get(&place).copied().map(Held::Prog),
                None => None,
            };
            slots.extend(holds.map(|holds| SlotUpdate { map: MapId(index), index: slot.index, holds }));
        }
    }
    slots.into_iter().partition(|slot| matches!(slot.holds, Held::Map(_)))
}
