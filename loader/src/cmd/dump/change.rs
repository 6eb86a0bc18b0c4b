//! What has become of one element.

use std::fmt;

use minibpf::btf::value::Value;
use minibpf::observe::maps::Contents;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::entry::Entry;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Same,
    Added,
    Changed,
    Removed,
}

impl Fate {
    pub(super) fn of(now: &[u8], before: Option<&[u8]>) -> Self {
        match before {
            None => Self::Added,
            Some(before) if before == now => Self::Same,
            Some(_) => Self::Changed,
        }
    }
}

/// The variables of a data section that have changed, a line each.
pub(super) fn variables<'a>(before: &'a Contents<'_>, now: &'a Contents<'_>) -> impl Iterator<Item = String> + 'a {
    let now = now.variables().unwrap_or_default().iter();
    let changed = now.filter_map(|(name, value)| {
        let before = before.variable(name).filter(|before| *before != value)?;
        Some(match value.minus(before) {
            Some(delta) => format!("  {name} = {value}  ({delta:+})"),
            None => format!("  {name} = {value}  (was {before})"),
        })
    });
    changed.collect::<Vec<_>>().into_iter()
}

pub(super) struct Change<'a, 'data> {
    pub(super) seconds: f64,
    pub(super) fate: Fate,
    pub(super) entry: Entry<'a, 'data>,
    pub(super) delta: Option<Value<'data>>,
}

impl fmt::Display for Change<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.fate {
            Fate::Added => '+',
            Fate::Removed => '-',
            Fate::Same | Fate::Changed => ' ',
        };
        write!(f, "{mark} {}", self.entry)?;
        self.delta.as_ref().map_or(Ok(()), |delta| write!(f, "  ({delta:+})"))
    }
}

impl Serialize for Change<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let change = match self.fate {
            Fate::Same => "none",
            Fate::Added => "added",
            Fate::Changed => "changed",
            Fate::Removed => "removed",
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", "change")?;
        map.serialize_entry("t", &self.seconds)?;
        map.serialize_entry("change", change)?;
        self.entry.fields(&mut map)?;
        map.serialize_entry("delta", &self.delta)?;
        map.end()
    }
}
