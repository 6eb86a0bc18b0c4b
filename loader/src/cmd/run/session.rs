//! The packets' way through the filter, one after the other, and what is said of each.

use std::time::Instant;

use minibpf::packet::origin::{Bad, Packet};

use super::changes::Changes;
use super::events::Events;
use super::expect::Expectations;
use super::input::Input;
use super::progress::Progress;
use super::report::Report;
use super::source::Stop;
use super::trial::{Trial, Unfit};
use crate::cmd::failure::Failure;
use crate::cmd::signals::Signals;
use crate::cmd::target::owner::another;

/// What ends a run before its packets do.
pub(super) struct Limits {
    pub(super) signals: Signals,
    pub(super) until: Option<Instant>,
    /// Events or, where there cannot be any, packets.
    pub(super) count: Option<u64>,
}

impl Limits {
    /// The same for somebody who waits for input.
    pub(super) fn stop(&self) -> Result<Stop, Failure> {
        Ok(Stop { signal: another(&self.signals)?, until: self.until })
    }

    pub(super) fn is_over(&self) -> bool {
        self.signals.came() || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

pub(super) struct Session<'a> {
    pub(super) trial: Trial<'a>,
    pub(super) events: Events<'a>,
    /// Where they are asked for.
    pub(super) changes: Option<Changes<'a>>,
    pub(super) expectations: Expectations<'a>,
    pub(super) report: Report<'a>,
    pub(super) progress: Progress,
}

impl Session<'_> {
    /// Up to the summary.
    pub(super) fn run(&mut self, input: &mut Input, limits: &Limits, keeps_going: bool) -> Result<(), Failure> {
        while !limits.is_over() && !self.is_full(limits) {
            let Some(packet) = input.next() else { break };
            let bad = match packet {
                // What was cut off by our own stopping is not the file's fault.
                Err(_) if limits.is_over() => break,
                Err(bad) => Some(bad),
                Ok(packet) => self.one(packet, limits)?,
            };
            if let Some(bad) = bad {
                self.report.skipped(&bad, keeps_going)?;
            }
            self.progress.show(&self.report);
        }
        self.progress.end();
        let ended = match self.is_full(limits) {
            true => "count reached",
            false if limits.signals.came() => "interrupted",
            false if limits.is_over() => "duration over",
            false => "input ended",
        };
        self.report.summary(ended)
    }

    fn is_full(&self, limits: &Limits) -> bool {
        self.report.is_full(limits.count, self.events.are_possible())
    }

    /// Returns what keeps this packet from being tried.
    fn one(&mut self, packet: Packet, limits: &Limits) -> Result<Option<Bad>, Failure> {
        let (seen, test) = match self.trial.one(&packet.frame) {
            Ok(seen) => seen,
            Err(Unfit::Failed(failure)) => return Err(failure),
            Err(Unfit::Packet(problem)) => return Ok(Some(packet.place.bad(problem))),
            // By a signal that does not end the program, such as one that stops it for a while.
            Err(Unfit::Interrupted) if !limits.is_over() => {
                return Ok(Some(packet.place.bad("a signal came while it was tried")));
            }
            Err(Unfit::Interrupted) => return Ok(None),
        };
        self.report.cut(&packet)?;
        self.report.packet(&packet.frame, &seen, test.as_ref())?;
        self.report.events(&mut self.events)?;
        if let Some(changes) = &mut self.changes {
            self.report.changes(changes.since()?)?;
        }
        self.expectations.check(self.report.last(), &seen);
        Ok(None)
    }
}
