//! A map's contents: all of them, some of them, one of them, or only how many there are.

use std::ops::ControlFlow;

use minibpf::btf::encode::encode;
use minibpf::btf::{Btf, value};
use minibpf::kernel::Map;
use minibpf::observe::fdinfo;
use minibpf::observe::maps::{self, Element, Types, without_elements};
use minibpf::sys::SysError;
use minibpf::uapi::names;
use nix::errno::Errno;
use serde_json::json;

use super::entry::{Entry, Line, Raw};
use super::order::{First, Order};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::{Lines, Output};
use crate::cmd::show::map_json;
use crate::cmd::trace::merged;

/// A map that is shown.
pub(super) struct MapDump<'a> {
    pub(super) output: &'a Output,
    map: &'a Map,
    btf: Option<&'a Btf<'a>>,
    pub(super) types: Types<'a>,
}

/// Bytes of a map's types, if it has some and they may be read.
pub(super) fn types_of(output: &Output, map: &Map) -> Result<Vec<u8>, Failure> {
    match map.btf() {
        Ok(bytes) => Ok(bytes.unwrap_or_default()),
        Err(error) if error.errno == Errno::EPERM => {
            output.say(format_args!(
                "{error}: the map's types are read with CAP_SYS_ADMIN alone, so numbers and bytes are shown"
            ));
            Ok(Vec::new())
        }
        Err(error) => Err(Failure::new(Exit::Other, error)),
    }
}

impl<'a> MapDump<'a> {
    pub(super) fn new(output: &'a Output, map: &'a Map, btf: Option<&'a Btf<'a>>) -> Self {
        Self { output, map, btf, types: Types::of(map, btf) }
    }

    /// What it is: bpftool's first line, and its numbers.
    pub(super) fn head(&self, lines: &mut Lines<'_>) -> Result<(), Failure> {
        let (map, attr) = (self.map, self.map.spec().attr);
        let id = map.info().map_err(|error| self.failure(error))?.id;
        let (memory, frozen) = (fdinfo::memory(map), fdinfo::is_frozen(map));
        lines.text(format_args!(
            "{id}: {}  name {}  flags {:#x}{}\n\tkey {}B  value {}B  max_entries {}{}",
            names::map_type_short(attr.map_type),
            map.name(),
            attr.map_flags,
            if frozen { "  frozen" } else { "" },
            attr.key_size,
            attr.value_size,
            attr.max_entries,
            memory.map_or_else(String::new, |bytes| format!("  memlock {bytes}B")),
        ))?;
        let more = json!({ "bytes_memlock": memory, "frozen": u8::from(frozen) });
        lines.data(&merged(merged(json!({ "kind": "map" }), map_json(map.spec(), Some(id))), more))
    }

    /// These elements of a map that has `count`.
    pub(super) fn these(&self, elements: &[Raw], count: u64) -> Result<(), Failure> {
        let mut lines = Lines::new(self.output);
        self.head(&mut lines)?;
        elements.iter().try_for_each(|element| self.print(&mut lines, element.element()))?;
        self.end(&mut lines, count)
    }

    fn end(&self, lines: &mut Lines<'_>, count: u64) -> Result<(), Failure> {
        if self.types.section().is_none() {
            lines.add_text(format_args!("{count} {}", if count == 1 { "entry" } else { "entries" }));
        }
        lines.add_data(&json!({ "kind": "summary", "entries": count }));
        lines.flush()
    }

    /// Why a map cannot be walked, as a failure of whoever wants to.
    pub(super) fn check_elements(&self) -> Result<(), Failure> {
        match without_elements(self.map) {
            Some(why) => Err(Failure::new(Exit::Usage, format!("map `{}`: {why}", self.map.name()))),
            None => Ok(()),
        }
    }

    /// Whether values can be put into this order.
    pub(super) fn check_order(&self, order: &Order) -> Result<(), Failure> {
        match order {
            Order::Member(path) if !self.types.has_member(path) => {
                let members = self.types.members();
                let known = if members.is_empty() {
                    "its values have none".to_owned()
                } else {
                    format!("there are: {}", members.join(", "))
                };
                Err(Failure::new(
                    Exit::Usage,
                    format!("map `{}`: --sort value.{path}: no such member; {known}", self.map.name()),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Every element, as the kernel hands them out or in an order, up to `top` of them.
    pub(super) fn all(&self, order: Option<&Order>, top: usize) -> Result<(), Failure> {
        let mut lines = Lines::new(self.output);
        self.head(&mut lines)?;
        let count = match (without_elements(self.map), order) {
            (Some(why), _) => {
                self.peek(&mut lines)?;
                lines.flush()?;
                self.output.say(why);
                return Ok(());
            }
            (None, Some(order)) => {
                let mut first = First::new(order, &self.types, top);
                let count = self.walk(|element| {
                    first.add(element.into());
                    Ok(())
                })?;
                for element in first.finish() {
                    self.print(&mut lines, element.element())?;
                }
                count
            }
            (None, None) => self.walk(|element| self.print(&mut lines, element))?,
        };
        self.end(&mut lines, count)
    }

    /// How many there are, which the kernel does not say: they are walked.
    pub(super) fn count(&self, is_one_of_many: bool) -> Result<(), Failure> {
        self.check_elements()?;
        let (count, attr) = (self.walk(|_| Ok(()))?, self.map.spec().attr);
        if is_one_of_many {
            self.output.text(format_args!("{}: {count}", self.map.name()))?;
        } else {
            self.output.text(count)?;
        }
        self.output.data(
            &json!({ "kind": "count", "name": self.map.name(), "entries": count, "max_entries": attr.max_entries }),
        )
    }

    /// One element, or one variable.
    pub(super) fn one(&self, key: &str) -> Result<(), Failure> {
        let usage = |why: String| Failure::new(Exit::Usage, format!("map `{}`: {why}", self.map.name()));
        self.check_elements()?;
        if self.types.section().is_some() {
            return self.variable(key);
        }
        if self.is_untyped_section() {
            return Err(Failure::new(
                Exit::Privileges,
                format!("map `{}`: the names of its variables are its types", self.map.name()),
            )
            .hint("types are read with CAP_SYS_ADMIN alone"));
        }
        let key = self.key(key).map_err(|why| usage(format!("key `{key}`: {why}")))?;
        let value = self.map.fd().lookup(&key).map_err(|error| match error.errno {
            Errno::ENOENT => Failure::new(Exit::Other, format!("map `{}` has no such key", self.map.name())),
            _ => self.failure(error),
        })?;
        let mut lines = Lines::new(self.output);
        self.print(&mut lines, Element { key: &key, value: &value })?;
        lines.flush()
    }

    fn variable(&self, name: &str) -> Result<(), Failure> {
        let value = self.map.fd().lookup(&0u32.to_le_bytes()).map_err(|error| self.failure(error))?;
        let contents = self.types.contents(&value);
        let Some(value) = contents.variable(name) else {
            let variables = contents.variables().unwrap_or_default();
            let known: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
            let why = format!("map `{}` has no variable `{name}`; there are: {}", self.map.name(), known.join(", "));
            return Err(Failure::new(Exit::Usage, why));
        };
        self.output.text(format_args!("{name} = {value}"))?;
        self.output.data(&json!({ "kind": "variable", "map": self.map.name(), "name": name, "value": value }))
    }

    /// A key's bytes: by its type, as a number, or in hex.
    fn key(&self, text: &str) -> Result<Vec<u8>, String> {
        let (attr, size) = (self.map.spec().attr, self.map.spec().attr.key_size as usize);
        // What is printed as a number without a type is taken as one; anything else is printed, and taken, as bytes.
        let number = || {
            let number =
                text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok());
            number.filter(|number: &u64| {
                matches!(size, 1 | 2 | 4 | 8) && number.checked_shr(8 * size as u32).unwrap_or(0) == 0
            })
        };
        let key = match (self.btf, text.strip_prefix("hex:")) {
            (_, Some(hex)) => value::unhex(hex).ok_or("expected hex:, then two digits a byte")?,
            (Some(btf), _) if attr.btf_key_type_id != 0 => {
                encode(btf, attr.btf_key_type_id, text).map_err(|error| error.to_string())?
            }
            _ => match (number(), value::unhex(text).filter(|bytes| bytes.len() == size)) {
                (Some(number), _) => number.to_le_bytes().into_iter().take(size).collect(),
                (None, Some(bytes)) if !matches!(size, 1 | 2 | 4 | 8) => bytes,
                _ => return Err(format!("expected hex: and {size} bytes, for its type is unknown")),
            },
        };
        if key.len() == size { Ok(key) } else { Err(format!("{} bytes, but keys have {size}", key.len())) }
    }

    /// Whether its types could not be read, and it is a section by its looks.
    fn is_untyped_section(&self) -> bool {
        self.btf.is_none() && self.map.name().contains('.') && self.map.info().is_ok_and(|info| info.btf_id != 0)
    }

    /// The next element of a queue or a stack: the only one that can be seen without being taken out.
    fn peek(&self, lines: &mut Lines<'_>) -> Result<(), Failure> {
        if !maps::can_peek(self.map) {
            return Ok(());
        }
        match self.map.fd().lookup(&[]) {
            Ok(value) => {
                let entry = Entry::new(&self.types, Element { key: &[], value: &value });
                lines.text(format_args!("  next: {}", entry.contents))?;
                lines.data(&Line("next", &entry))
            }
            Err(error) if error.errno == Errno::ENOENT => lines.text("  empty"),
            Err(error) => Err(self.failure(error)),
        }
    }

    fn print(&self, lines: &mut Lines<'_>, element: Element<'_>) -> Result<(), Failure> {
        let entry = Entry::new(&self.types, element);
        match (self.types.section(), entry.contents.variables()) {
            (Some(_), Some(variables)) if !self.output.json => {
                variables.iter().try_for_each(|(name, value)| lines.text(format_args!("  {name} = {value}")))
            }
            _ => {
                lines.text(format_args!("  {entry}"))?;
                lines.data(&Line("entry", &entry))
            }
        }
    }

    /// Everything that it holds.
    pub(super) fn snapshot(&self) -> Result<maps::Snapshot, Failure> {
        maps::snapshot(self.map).map_err(|error| self.failure(error))
    }

    /// Hands over each element; returns how many there were.
    fn walk(&self, mut each: impl FnMut(Element<'_>) -> Result<(), Failure>) -> Result<u64, Failure> {
        let (mut count, mut failed) = (0, None);
        let walked = maps::walk(
            self.map,
            |_| (),
            |element| {
                count += 1;
                match each(element) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(failure) => {
                        failed = Some(failure);
                        ControlFlow::Break(())
                    }
                }
            },
        );
        walked.map_err(|error| self.failure(error))?;
        failed.map_or(Ok(count), Err)
    }

    fn failure(&self, error: SysError) -> Failure {
        Failure::new(Exit::Other, format!("reading map `{}`: {error}", self.map.name()))
    }
}
