//! `--watch`: what has changed in a map since the last look.

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use minibpf::btf::value::Value;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::entry::{Entry, Raw};
use super::map::MapDump;
use super::order::{First, Order};
use crate::cmd::failure::Failure;
use crate::cmd::output::Lines;
use crate::cmd::signals::Signals;

/// When to look, and when to stop.
pub(super) struct Pace {
    pub(super) pause: Duration,
    pub(super) until: Option<Instant>,
    pub(super) rounds: Option<u64>,
}

impl Pace {
    /// Waits for the next round; `false`: there is none.
    pub(super) fn wait(&self, next: Instant, signals: &Signals) -> bool {
        let end = self.until.map_or(next, |until| until.min(next));
        while !signals.came() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.until.is_none_or(|until| Instant::now() < until);
            }
            let timeout = PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX);
            // A signal is what it may be woken by; another error would only make it look at the clock again.
            let _ = poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], timeout);
        }
        false
    }
}

/// A map's elements at one moment.
type Snapshot = BTreeMap<Box<[u8]>, Box<[u8]>>;

/// What became of an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Same,
    Added,
    Changed,
    Removed,
}

impl Fate {
    fn of(now: &[u8], before: Option<&[u8]>) -> Self {
        match before {
            None => Self::Added,
            Some(before) if before == now => Self::Same,
            Some(_) => Self::Changed,
        }
    }
}

/// Shows all elements, then in each round those that have changed; with an order the first ones of it, whether they have or not.
pub(super) fn watch(
    dump: &MapDump<'_>,
    order: Option<&Order>,
    top: usize,
    pace: &Pace,
    signals: &Signals,
) -> Result<(), Failure> {
    dump.all(order, top)?;
    let (started, mut before, mut round) = (Instant::now(), snapshot(dump)?, 0);
    while pace.rounds.is_none_or(|rounds| round < rounds) {
        round += 1;
        let next = started + pace.pause.saturating_mul(u32::try_from(round).unwrap_or(u32::MAX));
        if !pace.wait(next, signals) {
            break;
        }
        let now = snapshot(dump)?;
        let shown = Round { dump, before: &before, now: &now, seconds: started.elapsed().as_secs_f64() };
        shown.print(order, top)?;
        before = now;
    }
    Ok(())
}

fn snapshot(dump: &MapDump<'_>) -> Result<Snapshot, Failure> {
    let mut snapshot = Snapshot::new();
    dump.walk(|element| {
        snapshot.insert(element.key.into(), element.value.into());
        Ok(())
    })?;
    Ok(snapshot)
}

struct Round<'a> {
    dump: &'a MapDump<'a>,
    before: &'a Snapshot,
    now: &'a Snapshot,
    seconds: f64,
}

impl Round<'_> {
    fn print(&self, order: Option<&Order>, top: usize) -> Result<(), Failure> {
        let raw = |key: &[u8], value: &[u8]| Raw { key: key.into(), value: value.into() };
        let has_changed = |key: &[u8], value: &[u8]| self.before.get(key).is_none_or(|before| **before != *value);
        let elements: Vec<Raw> = match order {
            None => {
                let changed = self.now.iter().filter(|(key, value)| has_changed(key, value));
                changed.map(|(key, value)| raw(key, value)).collect()
            }
            Some(order) => {
                let mut first = First::new(order, &self.dump.types, top);
                self.now.iter().for_each(|(key, value)| first.add(raw(key, value)));
                first.finish()
            }
        };
        let removed = self.before.iter().filter(|(key, _)| !self.now.contains_key(*key));
        let removed: Vec<Raw> = removed.map(|(key, value)| raw(key, value)).collect();
        let mut lines = Lines::new(self.dump.output);
        if order.is_some() || !elements.is_empty() || !removed.is_empty() {
            let new = self.now.keys().filter(|key| !self.before.contains_key(*key)).count();
            let changed = self.now.iter().filter(|(key, value)| has_changed(key, value)).count() - new;
            let (count, gone) = (self.now.len(), removed.len());
            lines.text(format_args!(
                "{:.1} s: {count} entries, {new} new, {changed} changed, {gone} gone",
                self.seconds
            ))?;
        }
        for element in &elements {
            let before = self.before.get(&element.key).map(AsRef::as_ref);
            self.change(&mut lines, element, Fate::of(&element.value, before), before)?;
        }
        for element in &removed {
            self.change(&mut lines, element, Fate::Removed, None)?;
        }
        lines.flush()
    }

    fn change(&self, lines: &mut Lines<'_>, raw: &Raw, fate: Fate, before: Option<&[u8]>) -> Result<(), Failure> {
        let entry = Entry::new(&self.dump.types, raw.element());
        let before = before.and_then(|before| self.dump.types.contents(before).total());
        let delta = before.zip(entry.contents.total()).and_then(|(before, now)| now.minus(&before));
        let change = Change { seconds: self.seconds, fate, entry, delta: delta.filter(|_| fate == Fate::Changed) };
        lines.text(&change)?;
        lines.data(&change)
    }
}

struct Change<'a, 'data> {
    seconds: f64,
    fate: Fate,
    entry: Entry<'a, 'data>,
    delta: Option<Value<'data>>,
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
