//! Events as lines.

use std::time::Instant;

use minibpf::btf::value::{Value, hex};
use minibpf::observe::events::{Event, EventTypes, Lost, Record, Typed};
use nix::time::{ClockId, clock_gettime};
use serde::Serialize;

use crate::cmd::output::Lines;

/// Turns events into lines.
pub(super) struct Printer<'a> {
    types: EventTypes<'a>,
    /// When it began, for the two ways in which time is told.
    started: Instant,
    started_ns: u64,
    pub(super) lines: Lines<'a>,
    pub(super) count: u64,
    pub(super) lost: Vec<(String, u64)>,
    /// The first that was lost, until it is said.
    pub(super) first_loss: Option<(String, u64)>,
}

/// An event as JSON.
#[derive(Serialize)]
struct EventLine<'a> {
    kind: &'static str,
    n: u64,
    t: f64,
    map: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<u32>,
    r#type: Option<&'a str>,
    value: Option<&'a Value<'a>>,
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rest: Option<String>,
}

/// Events that are gone, as JSON.
#[derive(Serialize)]
struct LostLine<'a> {
    kind: &'static str,
    map: &'a str,
    cpu: Option<u32>,
    count: u64,
}

impl<'a> Printer<'a> {
    pub(super) fn new(lines: Lines<'a>, types: EventTypes<'a>) -> Self {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |now| {
            let (seconds, nanoseconds) = (now.tv_sec().unsigned_abs(), now.tv_nsec().unsigned_abs());
            seconds * 1_000_000_000 + nanoseconds
        });
        let started = Instant::now();
        Self { types, started, started_ns: now, lines, count: 0, lost: Vec::new(), first_loss: None }
    }

    pub(super) fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Record(record) => self.print(record),
            Event::Lost(lost) => self.lose(lost),
        }
    }

    fn print(&mut self, record: &Record<'_>) {
        self.count += 1;
        let Record { map, cpu, time, bytes } = *record;
        let t = match time {
            Some(time) => time.saturating_sub(self.started_ns) as f64 / 1e9,
            None => self.started.elapsed().as_secs_f64(),
        };
        let typed = self.types.apply(record);
        let (bytes, rest) = match &typed {
            // What the kernel has added to fill up multiples of eight means nothing.
            Some(typed) if typed.rest.is_empty() => (typed.bytes, typed.rest),
            Some(typed) => (bytes, typed.rest),
            None => (bytes, &[][..]),
        };
        let rest = (!rest.is_empty()).then(|| hex(rest));
        if !self.lines.is_json() {
            let on_cpu = cpu.map_or_else(String::new, |cpu| format!("  cpu {cpu}"));
            let place = format!("{}{on_cpu}", map.name().escape_debug());
            let rest = rest.map_or_else(String::new, |rest| format!("  {rest}"));
            return match typed {
                Some(Typed { name, value, .. }) => {
                    self.lines.add_text(format_args!("{t:9.3}  {place}  {} {value}{rest}", name.escape_debug()));
                }
                None => self.lines.add_text(format_args!("{t:9.3}  {place}  {}  {}", hex(bytes), bytes.escape_ascii())),
            };
        }
        let (name, value) = typed.as_ref().map(|typed| (typed.name, &typed.value)).unzip();
        let (n, map, bytes) = (self.count, map.name(), hex(bytes));
        self.lines.add_data(&EventLine { kind: "event", n, t, map, cpu, r#type: name, value, bytes, rest });
    }

    fn lose(&mut self, lost: &Lost<'_>) {
        let (map, cpu, count) = (lost.map.name(), lost.cpu, lost.count);
        self.lines.add_data(&LostLine { kind: "lost", map, cpu, count });
        if let Some((_, sum)) = self.lost.iter_mut().find(|(known, _)| known == map) {
            *sum = sum.saturating_add(count);
        } else {
            if self.lost.is_empty() {
                self.first_loss = Some((map.to_owned(), count));
            }
            self.lost.push((map.to_owned(), count));
        }
    }
}
