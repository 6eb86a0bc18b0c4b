//! One element of a map, in words and as data. The data has bpftool's shape: `key` and `value` as they are, `formatted` by their types.

use std::fmt;

use minibpf::btf::value::{Value, hex};
use minibpf::observe::maps::{Contents, Element, Types};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// An element that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) key: Box<[u8]>,
    pub(super) value: Box<[u8]>,
}

impl From<Element<'_>> for Raw {
    fn from(element: Element<'_>) -> Self {
        Self { key: element.key.into(), value: element.value.into() }
    }
}

impl Raw {
    pub(super) fn element(&self) -> Element<'_> {
        Element { key: &self.key, value: &self.value }
    }
}

/// An element that was read.
pub(super) struct Entry<'a, 'data> {
    types: &'a Types<'data>,
    element: Element<'a>,
    key: Value<'data>,
    pub(super) contents: Contents<'data>,
}

impl<'a, 'data> Entry<'a, 'data> {
    pub(super) fn new(types: &'a Types<'data>, element: Element<'a>) -> Self {
        Self { types, element, key: types.key(element.key), contents: types.contents(element.value) }
    }

    /// The fields of its line, after `kind`.
    pub(super) fn fields<S: SerializeMap>(&self, map: &mut S) -> Result<(), S::Error> {
        map.serialize_entry("key", &hex(self.element.key))?;
        match &self.contents {
            Contents::PerCpu(values) => {
                let size = self.element.value.len() / values.len().max(1);
                let raw = self
                    .element
                    .value
                    .chunks(size.max(1))
                    .map(|one| hex(one.get(..self.types.value_size()).unwrap_or(one)));
                map.serialize_entry(
                    "values",
                    &raw.enumerate().map(|(cpu, value)| OfCpu { cpu, value }).collect::<Vec<_>>(),
                )?;
                map.serialize_entry("sum", &self.contents.total())?;
            }
            Contents::Hidden => map.serialize_entry("value", &None::<()>)?,
            _ => map.serialize_entry("value", &hex(self.element.value))?,
        }
        match &self.contents {
            Contents::Map(id) => map.serialize_entry("inner_map_id", id),
            Contents::Program(id) => map.serialize_entry("prog_id", id),
            _ if self.types.is_typed() => map.serialize_entry("formatted", &Formatted(self)),
            _ => Ok(()),
        }
    }
}

/// A line of one kind.
pub(super) struct Line<'a, 'b, 'data>(pub(super) &'static str, pub(super) &'a Entry<'b, 'data>);

impl Serialize for Line<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.0)?;
        self.1.fields(&mut map)?;
        map.end()
    }
}

#[derive(Serialize)]
struct OfCpu<T> {
    cpu: usize,
    value: T,
}

struct Formatted<'a, 'b, 'data>(&'a Entry<'b, 'data>);

impl Serialize for Formatted<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.0;
        let mut map = serializer.serialize_map(None)?;
        // The key of a data section is always 0; its variables are a list, one object each.
        if let (Some(section), Some(variables)) = (entry.types.section(), entry.contents.variables()) {
            let variables: Vec<_> = variables.iter().map(|(name, value)| Single(name, value)).collect();
            map.serialize_entry("value", &Single(section, &variables))?;
            return map.end();
        }
        map.serialize_entry("key", &entry.key)?;
        match &entry.contents {
            Contents::PerCpu(values) => {
                let values: Vec<_> = values.iter().enumerate().map(|(cpu, value)| OfCpu { cpu, value }).collect();
                map.serialize_entry("values", &values)?;
            }
            Contents::One(value) => map.serialize_entry("value", value)?,
            Contents::Map(id) | Contents::Program(id) => map.serialize_entry("value", id)?,
            Contents::Hidden => map.serialize_entry("value", &None::<()>)?,
        }
        map.end()
    }
}

/// `{"name": value}`.
struct Single<'a, T>(&'a str, &'a T);

impl<T: Serialize> Serialize for Single<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, self.1)?;
        map.end()
    }
}

impl fmt::Display for Entry<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.contents)
    }
}
