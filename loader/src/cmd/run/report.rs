//! What is said of each packet, and of all.

use minibpf::packet::headers::Headers;
use minibpf::packet::origin::{Bad, Packet, Place};
use serde_json::{Value as Json, json};

use super::How;
use super::changes::Change;
use super::counts::Counts;
use super::events::{Events, Reported};
use super::real::{Segments, Travel};
use super::trial::{Seen, Verdict};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;
use crate::cmd::trace::merged;

pub(super) struct Report<'a> {
    output: &'a Output,
    program: &'a str,
    how: How,
    repeat: Option<u32>,
    counts: Counts,
    first_skipped: Option<Bad>,
    /// Whether it was said that the filter drops handshakes, and that a capture has cut packets.
    refuses: bool,
    said_cut: bool,
    said_full: bool,
}

impl<'a> Report<'a> {
    pub(super) fn new(output: &'a Output, program: &'a str, how: How, repeat: Option<u32>) -> Self {
        Self {
            output,
            program,
            how,
            repeat,
            counts: Counts::default(),
            first_skipped: None,
            refuses: false,
            said_cut: false,
            said_full: false,
        }
    }

    /// Packets that had their turn, skipped ones included.
    pub(super) fn packets(&self) -> u64 {
        self.counts.ran() + self.counts.skipped
    }

    /// The number of the last packet.
    pub(super) fn last(&self) -> u64 {
        self.packets().saturating_sub(1)
    }

    /// Whether there were so many events or, where there cannot be any, packets.
    pub(super) fn is_full(&self, count: Option<u64>, by_events: bool) -> bool {
        count.is_some_and(|count| if by_events { self.counts.events >= count } else { self.packets() >= count })
    }

    /// Says what became of a packet; with a real socket also what a test run would have said.
    pub(super) fn packet(&mut self, frame: &[u8], seen: &Seen, test: Option<&Seen>) -> Result<(), Failure> {
        let Seen { len, ret, verdict, kept, mean_ns, travel } = seen;
        let number = self.packets();
        *match verdict {
            Verdict::Keep => &mut self.counts.kept,
            Verdict::Trim => &mut self.counts.trimmed,
            Verdict::Drop => &mut self.counts.dropped,
        } += 1;
        self.counts.ns += u64::from(mean_ns.unwrap_or(0));
        self.counts.bytes.count(seen);
        let summary = Headers::of(frame).map_or_else(String::new, |headers| headers.to_string());
        if !self.output.json {
            let time = self.repeat.and(*mean_ns).map_or_else(String::new, |ns| format!(", {ns} ns"));
            let came = match (travel, ret) {
                (None, Some(ret)) => format!("returned {ret} of {len} bytes{time}"),
                (travel, _) => {
                    format!("kept {kept} of {len} bytes{}", travel.as_ref().map(arrived).unwrap_or_default())
                }
            };
            self.output.text(format_args!("{number:>4}  {}  {came}  {summary}", verdict.word()))?;
            return self.compare(number, seen, test);
        }
        let mut line = json!({
            "kind": "packet", "n": number, "len": len, "ret": ret, "verdict": verdict.word(), "kept": kept,
            "protocol": summary,
        });
        if self.repeat.is_some() {
            line = merged(line, json!({ "mean_ns": mean_ns }));
        }
        if let Some(travel) = travel {
            line = merged(line, travel_json(travel, test));
        }
        self.output.data(&line)?;
        self.compare(number, seen, test)
    }

    /// Warns, once, of a capture that has only the start of a packet: that is all the filter gets.
    pub(super) fn cut(&mut self, Packet { frame, place, missing }: &Packet) -> Result<(), Failure> {
        if *missing == 0 || std::mem::replace(&mut self.said_cut, true) {
            return Ok(());
        }
        let (there, all) = (frame.len(), frame.len() as u64 + u64::from(*missing));
        let what = format!("{place}: the capture has {there} of {all} bytes, so the filter sees a shorter packet");
        self.output.warn("cut", what)
    }

    /// Warns, once, where a test run would mislead; and, once, where no connection comes about.
    fn compare(&mut self, number: u64, seen: &Seen, test: Option<&Seen>) -> Result<(), Failure> {
        let segments = seen.travel.as_ref().and_then(|travel| travel.tcp.as_ref());
        let is_refused = segments.is_some_and(|segments| !segments.handshake);
        if is_refused && !std::mem::replace(&mut self.refuses, true) {
            self.output.warn(
                "handshake",
                "the filter drops the handshake, so no connection comes about; the payload goes over one that stood before the filter came",
            )?;
        }
        let Some(test) = test.filter(|test| test.verdict != seen.verdict) else { return Ok(()) };
        self.counts.differ += 1;
        if self.counts.differ > 1 {
            return Ok(());
        }
        let (said, here, how) = (test.verdict.word(), seen.verdict.word(), self.how.word());
        self.output.warn(
            "test-run-differs",
            format_args!(
                "packet {number}: a test run says {said} (it returned {} for {} bytes), {how} says {here}: byte 0 is the {} in a test run, the {} here",
                test.ret.unwrap_or(0),
                test.len,
                How::TestRun.byte0(),
                self.how.byte0(),
            ),
        )
    }

    /// What the filter has reported of the last packet.
    pub(super) fn events(&mut self, events: &mut Events<'_>) -> Result<(), Failure> {
        let (number, before) = (self.last(), self.counts.events);
        let mut next = before;
        self.counts.events += events.take(|Reported { text, json }| {
            next += 1;
            let of = json!({ "kind": "event", "n": next, "packet": number });
            if !self.output.is_verbose() {
                return Ok(());
            }
            self.output.text(format_args!("        {text}"))?;
            self.output.data(&merged(of, json))
        })?;
        self.counts.lost = events.lost();
        let Some(full) = events.full().filter(|_| !std::mem::replace(&mut self.said_full, true)) else { return Ok(()) };
        self.output.warn(
            "full",
            format_args!("ring buffer `{full}` is full: events may be lost, and the kernel does not count them; with --repeat it is read only after the last run"),
        )
    }

    /// What the last packet has changed.
    pub(super) fn changes(&self, changes: Vec<Change>) -> Result<(), Failure> {
        let number = self.last();
        changes.into_iter().try_for_each(|Change { text, json }| {
            self.output.text(format_args!("        {text}"))?;
            self.output.data(&merged(json!({ "kind": "change", "packet": number }), json))
        })
    }

    /// What cannot be used ends the run, unless it is to go on.
    pub(super) fn skipped(&mut self, bad: &Bad, goes_on: bool) -> Result<(), Failure> {
        let number = self.packets();
        self.counts.skipped += 1;
        let failure = Failure::new(Exit::Other, format!("{}: {}", bad.place, bad.problem));
        if !goes_on {
            return Err(failure.hint("--keep-going skips what cannot be used"));
        }
        self.first_skipped.get_or_insert_with(|| bad.clone());
        self.output.text(format_args!("{number:>4}  skipped: {}", failure.message))?;
        let (record, offset) = match &bad.place {
            Place::Record { record, offset, .. } => (Some(record), Some(offset)),
            Place::Argument(_) => (None, None),
        };
        self.output.data(&json!({
            "kind": "skipped", "n": number, "record": record, "offset": offset, "reason": failure.message,
        }))
    }

    /// Says what there is to say of all packets; `ended` is why there were no more.
    pub(super) fn summary(&self, ended: &str) -> Result<(), Failure> {
        let Counts { kept, trimmed, dropped, skipped, differ, ns, events, lost, ref bytes } = self.counts;
        let (ran, byte0) = (self.counts.ran(), self.how.byte0());
        let mean = self.repeat.and_then(|_| ns.checked_div(ran));
        let plural = if ran == 1 { "" } else { "s" };
        let mut more = String::new();
        if skipped > 0 {
            more += &format!("; {skipped} skipped");
        }
        if differ > 0 {
            more += &format!("; a test run says something else of {differ}");
        }
        if let (Some(ns), Some(times)) = (mean, self.repeat) {
            more += &format!("; {ns} ns a run, {times} runs each");
        }
        self.output.text(format_args!(
            "{}: {ran} packet{plural}, {kept} kept, {trimmed} trimmed, {dropped} dropped{more}; byte 0 was the {byte0}",
            self.program,
        ))?;
        self.output.text(bytes.text(self.how, events, lost))?;
        let (is_real, is_tcp) = (self.how != How::TestRun, self.how == How::Tcp);
        self.output.data(&json!({
            "kind": "summary", "name": self.program, "as": self.how.word(), "byte0": byte0, "packets": ran,
            "kept": kept, "trimmed": trimmed, "dropped": dropped, "skipped": skipped, "mean_ns": mean,
            "differ": is_real.then_some(differ), "bytes_kept": bytes.kept, "bytes_cut": bytes.cut,
            "bytes_dropped": bytes.dropped, "bytes_sent": is_real.then_some(bytes.sent),
            "bytes_received": is_real.then_some(bytes.received), "retransmits": is_tcp.then_some(bytes.retransmits),
            "events": events, "lost": lost, "ended": ended,
        }))
    }

    /// What was skipped makes the run a failure in the end.
    pub(super) fn end(&self) -> Result<(), Failure> {
        let Some(Bad { place, problem }) = &self.first_skipped else { return Ok(()) };
        let (skipped, packets) = (self.counts.skipped, self.packets());
        let what = format!("{skipped} of {packets} packets could not be used, first {place}: {problem}");
        Err(Failure::new(Exit::Other, what))
    }
}

/// What the application got.
fn arrived(travel: &Travel) -> String {
    let Travel { payload, received, tcp } = travel;
    let mut text = format!(", {received} of {payload} arrived");
    let Some(Segments { count, retransmits, .. }) = tcp else { return text };
    if *count > 1 {
        text += &format!(" in {count} segments");
    }
    if *retransmits > 0 {
        text += ", and TCP sent it again";
    }
    text
}

fn travel_json(travel: &Travel, test: Option<&Seen>) -> Json {
    let Travel { payload, received, tcp } = travel;
    let test = test.map(|test| json!({ "len": test.len, "ret": test.ret, "verdict": test.verdict.word() }));
    let line = json!({ "payload": payload, "received": received, "test_run": test });
    let Some(Segments { count, retransmits, handshake }) = tcp else { return line };
    let handshake = if *handshake { "keep" } else { "drop" };
    merged(line, json!({ "segments": count, "retransmits": retransmits, "handshake": handshake }))
}
