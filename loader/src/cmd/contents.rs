//! What a map holds, all of it, in words and as data: of a load that ends, and of the demo.

use minibpf::btf::Btf;
use minibpf::btf::value::Value;
use minibpf::kernel::Map;
use minibpf::observe::maps::{self, Asked, Contents, Types};
use minibpf::sys::SysError;
use minibpf::uapi::names;
use serde_json::{Value as Json, json};

use super::show;
use super::trace::merged;

/// Elements that are printed for people; `--json` has all.
const SHOWN: usize = 64;

/// Everything that a map holds.
pub(crate) struct Holding<'a> {
    map: &'a Map,
    entries: Vec<(Value<'a>, Contents<'a>)>,
}

impl<'a> Holding<'a> {
    /// Reads a map; `watch` sees each question.
    pub(crate) fn read(map: &'a Map, btf: Option<&Btf<'a>>, watch: impl FnMut(Asked<'_>)) -> Result<Self, SysError> {
        let types = Types::of(map, btf);
        let mut entries = Vec::new();
        maps::walk(map, watch, |element| {
            entries.push((types.key(element.key), types.contents(element.value)));
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(Self { map, entries })
    }

    /// In words: a line for the map, then one an element, or one a global.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Self { map, entries } = self;
        if let ([(_, contents)], true) = (entries.as_slice(), map.name().starts_with('.')) {
            let globals = match contents.variables() {
                Some(variables) => variables.iter().map(|(name, value)| format!("  {name} = {value}")).collect(),
                None => vec![format!("  {contents}")],
            };
            return [vec![format!("{} (globals)", map.name())], globals].concat();
        }
        let kind = names::map_type_short(map.spec().attr.map_type);
        let (count, max) = (entries.len(), map.spec().attr.max_entries);
        let head = format!("{} ({kind}, {count} of at most {max} entries)", map.name());
        let shown = entries.iter().take(SHOWN).map(|(key, contents)| format!("  {key}: {contents}"));
        let more = (count > SHOWN).then(|| format!("  and {} more; --json has all", count - SHOWN));
        [head].into_iter().chain(shown).chain(more).collect()
    }

    /// Definition and contents: the `map` line.
    pub(crate) fn json(&self, id: Option<u32>) -> Json {
        let entry = |(key, contents): &(Value<'_>, Contents<'_>)| match contents {
            Contents::One(value) => json!({ "key": key, "value": value }),
            Contents::PerCpu(values) => json!({ "key": key, "value": values, "sum": contents.total() }),
            Contents::Map(id) | Contents::Program(id) => json!({ "key": key, "value": id }),
            Contents::Hidden => json!({ "key": key, "value": null }),
        };
        let entries: Vec<_> = self.entries.iter().map(entry).collect();
        let head = merged(json!({ "kind": "map" }), show::map_json(self.map.spec(), id));
        merged(head, json!({ "entries": entries }))
    }
}
