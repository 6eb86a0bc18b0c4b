//! Descriptors before there are any: each by what it will be.

use super::{Descriptors, Fd};
use crate::plan::{MapId, Plan, ProgId};

/// Descriptors by what they will be: of a load that is only planned.
pub struct Planned<'a>(pub &'a Plan);

impl Descriptors for Planned<'_> {
    fn btf(&self) -> Option<Fd> {
        self.0.btf().map(|_| Fd::Role("btf".to_owned()))
    }

    fn map(&self, id: MapId) -> Fd {
        let name = self.0.map(id).map_or("", |map| map.name.as_str());
        Fd::Role(format!("map {name}"))
    }

    fn prog(&self, id: ProgId) -> Fd {
        let name = self.0.prog_loads().find(|program| program.id == id).map_or("", |program| program.name.as_str());
        Fd::Role(format!("program {name}"))
    }

    fn map_number(&self, _: MapId) -> i32 {
        0
    }
}
