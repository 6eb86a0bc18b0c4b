//! `--watch`: what has changed in a map since the last look.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use minibpf::observe::maps::Snapshot;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::json;

use super::change::{Change, Fate, variables};
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
    /// When to look after a look at `last`: a round that was missed is not made up for.
    pub(super) fn next(&self, last: Instant) -> Instant {
        (last + self.pause).max(Instant::now())
    }

    /// Waits for the next round; the last one is at the very end. `false`: there is none.
    pub(super) fn wait(&self, next: Instant, signals: &Signals) -> bool {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return false;
        }
        let end = self.until.map_or(next, |until| until.min(next));
        while !signals.came() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            let timeout = PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX);
            // A signal is what it may be woken by; another error would only make it look at the clock again.
            let _ = poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], timeout);
        }
        false
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
    let (started, mut before) = (Instant::now(), dump.snapshot()?);
    // What is shown first is what the first difference counts from.
    dump.these(&first(dump, &before, order, top), before.len() as u64)?;
    let (mut round, mut last) = (0, started);
    while pace.rounds.is_none_or(|rounds| round < rounds) {
        round += 1;
        last = pace.next(last);
        if !pace.wait(last, signals) {
            break;
        }
        let now = dump.snapshot()?;
        let shown = Round { dump, before: &before, now: &now, seconds: started.elapsed().as_secs_f64() };
        shown.print(order, top)?;
        before = now;
    }
    Ok(())
}

/// The elements to be shown of a whole map.
fn first(dump: &MapDump<'_>, snapshot: &Snapshot, order: Option<&Order>, top: usize) -> Vec<Raw> {
    let all = snapshot.iter().map(|(key, value)| Raw { key: key.clone(), value: value.clone() });
    let Some(order) = order else { return all.collect() };
    let mut first = First::new(order, &dump.types, top);
    all.for_each(|element| first.add(element));
    first.finish()
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
        let changed = self.now.iter().filter(|(key, value)| self.before.get(*key) != Some(*value));
        let changed: Vec<Raw> = changed.map(|(key, value)| raw(key, value)).collect();
        let removed = self.before.iter().filter(|(key, _)| !self.now.contains_key(*key));
        let removed: Vec<Raw> = removed.map(|(key, value)| raw(key, value)).collect();
        let mut lines = Lines::new(self.dump.output);
        self.head(&mut lines, &changed, removed.len(), order.is_some());
        let shown = if order.is_some() { first(self.dump, self.now, order, top) } else { changed };
        for element in &shown {
            let before = self.before.get(&element.key).map(AsRef::as_ref);
            self.change(&mut lines, element, Fate::of(&element.value, before), before)?;
        }
        for element in &removed {
            self.change(&mut lines, element, Fate::Removed, None)?;
        }
        lines.flush()
    }

    /// The numbers of the round; as text only if there is something to say.
    fn head(&self, lines: &mut Lines<'_>, changed: &[Raw], gone: usize, always: bool) {
        let count = self.now.len();
        let new = changed.iter().filter(|element| !self.before.contains_key(&element.key)).count();
        let changed = changed.len() - new;
        let quiet = !always && new + changed + gone == 0;
        if !quiet && self.dump.types.section().is_none() {
            let entries = if count == 1 { "entry" } else { "entries" };
            let seconds = self.seconds;
            lines
                .add_text(format_args!("{seconds:.1} s: {count} {entries}, {new} new, {changed} changed, {gone} gone"));
        } else if !quiet {
            lines.add_text(format_args!("{:.1} s:", self.seconds));
        }
        lines.add_data(&json!({
            "kind": "round", "t": self.seconds, "entries": count, "added": new, "changed": changed, "removed": gone,
        }));
    }

    fn change(&self, lines: &mut Lines<'_>, raw: &Raw, fate: Fate, before: Option<&[u8]>) -> Result<(), Failure> {
        let entry = Entry::new(&self.dump.types, raw.element());
        let before = before.map(|before| self.dump.types.contents(before));
        if let (Some(before), Some(_), false) = (&before, self.dump.types.section(), lines.is_json()) {
            return variables(before, &entry.contents).try_for_each(|line| lines.text(line));
        }
        let delta = before.and_then(|before| entry.contents.total()?.minus(&before.total()?));
        let change = Change { seconds: self.seconds, fate, entry, delta: delta.filter(|_| fate == Fate::Changed) };
        lines.text(&change)?;
        lines.data(&change)
    }
}
