//! `--expect-map`: what a map or a global is to hold in the end.
//!
//! `ports[80].packets=1`: the map, its key, a member of the value, and what it is. Key and value are written as `--set` takes them
//! and as they are printed; their types are those of the object's BTF.

mod part;

use minibpf::btf::layout::Layout;
use minibpf::btf::value::Value;
use minibpf::btf::{Btf, Kind};
use minibpf::kernel::{Kernel, Map};
use minibpf::observe::maps;
use nix::errno::Errno;

use crate::cmd::failure::{Exit, Failure};
use part::{Part, bracketed, follow};

/// `BPF_MAP_TYPE_ARRAY` and `_PERCPU_ARRAY`.
const ARRAYS: [u32; 2] = [2, 6];

/// All of them, with the maps that they are about.
pub(super) struct MapExpectations<'a>(Vec<One<'a>>);

struct One<'a> {
    text: String,
    map: &'a Map,
    key: Vec<u8>,
    /// The part of the value that is meant, and how it is read.
    part: Part,
    layout: Layout<'a>,
    /// `None`: there is to be no such key.
    wanted: Option<Value<'a>>,
}

impl<'a> MapExpectations<'a> {
    /// Finds the maps, and encodes keys and values; what cannot be meant is a usage error before any packet.
    pub(super) fn resolve(texts: &[String], kernel: &'a Kernel, btf: Option<&Btf<'a>>) -> Result<Self, Failure> {
        let one = |text: &String| {
            let usage = |problem| Failure::new(Exit::Usage, format!("--expect-map {}: {problem}", text.escape_debug()));
            One::resolve(text, kernel, btf).map_err(usage)
        };
        texts.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Fails with the first difference.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.0.iter().try_for_each(One::check)
    }
}

impl<'a> One<'a> {
    fn resolve(text: &str, kernel: &'a Kernel, btf: Option<&Btf<'a>>) -> Result<Self, String> {
        let (place, wanted) = split(text, '=').ok_or("expected NAME[KEY]=VALUE or VAR=VALUE")?;
        let name = place.split(['[', '.']).next().unwrap_or(place);
        let path = place.get(name.len()..).unwrap_or_default();
        let named = kernel.maps().map(|(_, map)| map).find(|map| map.name() == name);
        let (map, key, part, path) = if let Some(map) = named {
            let which = || format!("`{name}` is a map: which key? {name}[KEY]=VALUE");
            let (key, path) = bracketed(path).ok_or_else(which)?;
            (map, encode_key(map, btf, key).map_err(|problem| format!("key `{key}`: {problem}"))?, value_of(map), path)
        } else {
            let (map, part) = variable(kernel, btf, name)?;
            (map, vec![0; 4], part, path)
        };
        if !maps::is_walkable(map) {
            return Err(format!("`{name}` has no elements to look at"));
        }
        let part = follow(btf, part, path)?;
        let layout = part.layout(btf);
        let wanted = match wanted {
            "absent" if path.is_empty() && named.is_some() => None,
            wanted => Some(layout.read(&part.encode(btf, unquoted(wanted))?)),
        };
        Ok(Self { text: text.to_owned(), map, key, part, layout, wanted })
    }

    fn check(&self) -> Result<(), Failure> {
        let found = match self.map.fd().lookup(&self.key) {
            Ok(value) => Some(self.read(&value)),
            Err(error) if error.errno == Errno::ENOENT => None,
            Err(error) => {
                return Err(Failure::new(Exit::Other, format!("reading map `{}`: {error}", self.map.name())));
            }
        };
        if found == self.wanted {
            return Ok(());
        }
        let found = found.map_or_else(|| "no such key".to_owned(), |value| value.to_string());
        Err(Failure::new(Exit::Other, format!("expected {}, found {found}", self.text.escape_debug())))
    }

    /// The part that is meant; of a per-CPU map the sum over all CPUs, for packets may come on any.
    fn read(&self, value: &[u8]) -> Value<'a> {
        let attr = &self.map.spec().attr;
        let size = attr.value_size as usize;
        let one = |value: &[u8]| {
            let end = self.part.offset.saturating_add(self.part.size);
            self.layout.read(value.get(self.part.offset..end).unwrap_or_default())
        };
        if !maps::is_per_cpu(attr.map_type) || size == 0 {
            return one(value);
        }
        let mut all = value.chunks(size.next_multiple_of(8)).map(one);
        let first = all.next().unwrap_or(Value::Bytes(Vec::new()));
        all.fold(first, |sum, value| sum.together(&value))
    }
}

/// A `char` array is printed in quotes.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Splits at the first `at` that is in no brackets.
fn split(text: &str, at: char) -> Option<(&str, &str)> {
    let mut depth = 0u32;
    let (position, _) = text.char_indices().find(|(_, c)| {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *c == at && depth == 0
    })?;
    Some((text.get(..position)?, text.get(position + at.len_utf8()..)?))
}

fn value_of(map: &Map) -> Part {
    let attr = &map.spec().attr;
    Part { offset: 0, ty: attr.btf_value_type_id, size: attr.value_size as usize }
}

fn encode_key(map: &Map, btf: Option<&Btf<'_>>, key: &str) -> Result<Vec<u8>, String> {
    let attr = &map.spec().attr;
    let part = Part { offset: 0, ty: attr.btf_key_type_id, size: attr.key_size as usize };
    let bytes = part.encode(btf, unquoted(key))?;
    let index = bytes.first_chunk().map_or(0, |index| u32::from_le_bytes(*index));
    if ARRAYS.contains(&attr.map_type) && index >= attr.max_entries {
        return Err(format!("the array has {} entries, counted from 0", attr.max_entries));
    }
    if bytes.len() == part.size {
        Ok(bytes)
    } else {
        Err(format!("its type has {} bytes, the map's keys {}", bytes.len(), part.size))
    }
}

/// A global variable: the map of its section, and where it is in there.
fn variable<'a>(kernel: &'a Kernel, btf: Option<&Btf<'_>>, name: &str) -> Result<(&'a Map, Part), String> {
    let mut known: Vec<String> = Vec::new();
    for (_, map) in kernel.maps() {
        let section = map.spec().attr.btf_value_type_id;
        let kind = btf.and_then(|btf| Some((btf, btf.get(section).ok()?.kind)));
        let Some((btf, Kind::Datasec { vars, .. })) = kind else {
            known.push(map.name().to_owned());
            continue;
        };
        if let Some((ty, offset)) = btf.variable(section, name) {
            let size = btf.size_of(ty).map_err(|error| error.to_string())?;
            return Ok((map, Part { offset: offset as usize, ty, size: size as usize }));
        }
        known.extend(vars.iter().filter_map(|info| Some(btf.get(info.var).ok()?.name.to_owned())));
    }
    if known.is_empty() {
        Err(format!("no map or global `{name}`: the program uses none"))
    } else {
        Err(format!("no map or global `{name}` that the program uses; there are: {}", known.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keys_and_values_are_parted_outside_of_brackets() {
        assert_eq!(split("a[{x=1 y=2}].b=c=d", '='), Some(("a[{x=1 y=2}].b", "c=d")));
        assert_eq!(split("a[b", '='), None);
    }
}
