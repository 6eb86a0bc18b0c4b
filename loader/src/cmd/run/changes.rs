//! `-v`: what a packet has changed in the filter's maps, found by looking before and after.

use minibpf::btf::Btf;
use minibpf::kernel::{Kernel, Map};
use minibpf::observe::maps::{self, Contents, Types};
use serde_json::{Value as Json, json};

use crate::cmd::failure::{Exit, Failure};

/// The maps of a load, as they were when they were last looked at.
pub(super) struct Changes<'a>(Vec<Snapshot<'a>>);

struct Snapshot<'a> {
    map: &'a Map,
    types: Types<'a>,
    elements: maps::Snapshot,
}

/// One element that is not what it was: in words, and as data.
pub(super) struct Change {
    pub(super) text: String,
    pub(super) json: Json,
}

impl<'a> Changes<'a> {
    /// Remembers what the maps hold.
    pub(super) fn new(kernel: &'a Kernel, btf: Option<&Btf<'a>>) -> Result<Self, Failure> {
        let walkable = kernel.maps().map(|(_, map)| map).filter(|map| maps::is_walkable(map));
        let snapshot = |map| Ok(Snapshot { map, types: Types::of(map, btf), elements: elements(map)? });
        walkable.map(snapshot).collect::<Result<_, Failure>>().map(Self)
    }

    /// What has changed since it was last asked.
    pub(super) fn since(&mut self) -> Result<Vec<Change>, Failure> {
        let mut changes = Vec::new();
        for snapshot in &mut self.0 {
            let now = elements(snapshot.map)?;
            let keys = now.keys().chain(snapshot.elements.keys().filter(|key| !now.contains_key(*key)));
            for key in keys {
                let (before, after) = (snapshot.elements.get(key).map(AsRef::as_ref), now.get(key).map(AsRef::as_ref));
                if before != after {
                    snapshot.tell(key, before, after, &mut changes);
                }
            }
            snapshot.elements = now;
        }
        Ok(changes)
    }
}

fn elements(map: &Map) -> Result<maps::Snapshot, Failure> {
    maps::snapshot(map).map_err(|error| Failure::new(Exit::Other, format!("reading map `{}`: {error}", map.name())))
}

impl Snapshot<'_> {
    /// An element that is new, gone or another; of a data section each variable by itself.
    fn tell(&self, key: &[u8], before: Option<&[u8]>, after: Option<&[u8]>, changes: &mut Vec<Change>) {
        let name = self.map.name();
        let [before, after] = [before, after].map(|bytes| bytes.map(|bytes| self.types.contents(bytes)));
        let variables = before.as_ref().and_then(Contents::variables).zip(after.as_ref().and_then(Contents::variables));
        if let (Some(_), Some((before, after))) = (self.types.section(), variables) {
            for ((variable, was), (_, is)) in before.iter().zip(after).filter(|(was, is)| was != is) {
                changes.push(Change {
                    text: format!("{variable}: {was} -> {is}"),
                    json: json!({ "map": name, "key": variable, "change": "changed", "before": was, "after": is }),
                });
            }
            return;
        }
        let key = self.types.key(key);
        let (word, text) = match (&before, &after) {
            (Some(was), Some(is)) => ("changed", format!("{name}[{key}]: {was} -> {is}")),
            (None, Some(is)) => ("added", format!("{name}[{key}]: {is}, new")),
            (Some(was), None) => ("removed", format!("{name}[{key}]: {was}, gone")),
            (None, None) => return,
        };
        let [before, after] = [before, after].map(|contents| contents.as_ref().map(data));
        let json = json!({ "map": name, "key": key, "change": word, "before": before, "after": after });
        changes.push(Change { text, json });
    }
}

fn data(contents: &Contents<'_>) -> Json {
    match contents {
        Contents::Hidden => Json::Null,
        Contents::One(value) => json!(value),
        Contents::PerCpu(values) => json!(values),
        Contents::Map(id) | Contents::Program(id) => json!(id),
    }
}
