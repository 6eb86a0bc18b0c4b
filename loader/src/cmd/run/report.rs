//! What is said of each packet, and of all.

use minibpf::packet::headers::Headers;
use serde_json::json;

use super::How;
use super::input::{Bad, Place};
use super::trial::{Seen, Verdict};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;

pub(super) struct Report<'a> {
    output: &'a Output,
    program: &'a str,
    how: How,
    repeat: Option<u32>,
    /// Packets that had their turn.
    packets: u64,
    kept: u64,
    trimmed: u64,
    dropped: u64,
    skipped: u64,
    /// Sum of the means.
    ns: u64,
    first_skipped: Option<Bad>,
}

impl<'a> Report<'a> {
    pub(super) fn new(output: &'a Output, program: &'a str, how: How, repeat: Option<u32>) -> Self {
        let (packets, kept, trimmed, dropped, skipped, ns) = (0, 0, 0, 0, 0, 0);
        Self { output, program, how, repeat, packets, kept, trimmed, dropped, skipped, ns, first_skipped: None }
    }

    /// Packets that had their turn, skipped ones included.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// The number of the last packet.
    pub(super) fn last(&self) -> u64 {
        self.packets.saturating_sub(1)
    }

    pub(super) fn is_full(&self, count: Option<u64>) -> bool {
        count.is_some_and(|count| self.packets >= count)
    }

    pub(super) fn packet(&mut self, frame: &[u8], seen: &Seen) -> Result<(), Failure> {
        let Seen { len, ret, verdict, kept, mean_ns } = seen;
        let number = self.packets;
        self.packets += 1;
        *match verdict {
            Verdict::Keep => &mut self.kept,
            Verdict::Trim => &mut self.trimmed,
            Verdict::Drop => &mut self.dropped,
        } += 1;
        self.ns += u64::from(mean_ns.unwrap_or(0));
        let summary = Headers::of(frame).map_or_else(String::new, |headers| headers.to_string());
        if !self.output.json {
            let returned = ret.map_or_else(|| format!("kept {kept}"), |ret| format!("returned {ret}"));
            let time = self.repeat.and(*mean_ns).map_or_else(String::new, |ns| format!(", {ns} ns"));
            return self
                .output
                .text(format_args!("{number:>4}  {}  {returned} of {len} bytes{time}  {summary}", verdict.word()));
        }
        let mut line = json!({
            "kind": "packet", "n": number, "len": len, "ret": ret, "verdict": verdict.word(), "kept": kept,
            "protocol": summary,
        });
        if let (Some(_), Some(fields)) = (self.repeat, line.as_object_mut()) {
            fields.insert("mean_ns".to_owned(), json!(mean_ns));
        }
        self.output.data(&line)
    }

    /// What cannot be used ends the run, unless it is to go on.
    pub(super) fn skipped(&mut self, bad: &Bad, goes_on: bool) -> Result<(), Failure> {
        let number = self.packets;
        self.packets += 1;
        self.skipped += 1;
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

    pub(super) fn summary(&self) -> Result<(), Failure> {
        let Self { kept, trimmed, dropped, skipped, .. } = *self;
        let ran = kept + trimmed + dropped;
        let mean = self.repeat.and_then(|_| self.ns.checked_div(ran));
        let plural = if ran == 1 { "" } else { "s" };
        let skips = if skipped == 0 { String::new() } else { format!("; {skipped} skipped") };
        let time = mean
            .zip(self.repeat)
            .map_or_else(String::new, |(ns, times)| format!("; {ns} ns a packet, each run {times} times"));
        self.output.text(format_args!(
            "{}: {ran} packet{plural}, {kept} kept, {trimmed} trimmed, {dropped} dropped{skips}{time}; byte 0 was the {}",
            self.program, self.how.byte0(),
        ))?;
        self.output.data(&json!({
            "kind": "summary", "name": self.program, "as": self.how.word(), "byte0": self.how.byte0(), "packets": ran,
            "kept": kept, "trimmed": trimmed, "dropped": dropped, "skipped": skipped, "mean_ns": mean,
        }))
    }

    /// What was skipped makes the run a failure in the end.
    pub(super) fn end(&self) -> Result<(), Failure> {
        let Some(bad) = &self.first_skipped else { return Ok(()) };
        let what = format!(
            "{} of {} packets could not be used, first {}: {}",
            self.skipped, self.packets, bad.place, bad.problem
        );
        Err(Failure::new(Exit::Other, what))
    }
}
