//! What became of packets and bytes, added up.

use super::How;
use super::real::Travel;
use super::trial::{Seen, Verdict};

#[derive(Default)]
pub(super) struct Counts {
    pub(super) kept: u64,
    pub(super) trimmed: u64,
    pub(super) dropped: u64,
    pub(super) skipped: u64,
    /// Packets of which a test run says something else.
    pub(super) differ: u64,
    /// Sum of the mean nanoseconds.
    pub(super) ns: u64,
    /// What the filter has reported.
    pub(super) events: u64,
    /// Of what it reported.
    pub(super) lost: u64,
    pub(super) bytes: Bytes,
}

/// Bytes, as the filter saw them, and what became of them.
#[derive(Default)]
pub(super) struct Bytes {
    pub(super) kept: u64,
    /// Of packets that were trimmed.
    pub(super) cut: u64,
    pub(super) dropped: u64,
    /// What was sent over real sockets, and what the application got.
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) retransmits: u64,
}

impl Bytes {
    pub(super) fn count(&mut self, seen: &Seen) {
        self.kept += u64::from(seen.kept);
        let lost = u64::from(seen.len.saturating_sub(seen.kept));
        *if seen.verdict == Verdict::Drop { &mut self.dropped } else { &mut self.cut } += lost;
        let Some(Travel { payload, received, tcp }) = &seen.travel else { return };
        self.sent += *payload as u64;
        self.received += *received as u64;
        self.retransmits += tcp.as_ref().map_or(0, |tcp| u64::from(tcp.retransmits));
    }
}

impl Counts {
    pub(super) fn ran(&self) -> u64 {
        self.kept + self.trimmed + self.dropped
    }
}

impl Bytes {
    pub(super) fn text(&self, how: How, events: u64, lost: u64) -> String {
        let Self { kept, cut, dropped, sent, received, retransmits } = self;
        let mut text = format!("{} bytes: {kept} kept, {cut} cut off, {dropped} dropped", kept + cut + dropped);
        if how != How::TestRun {
            text += &format!("; {received} of {sent} that were sent arrived");
        }
        if *retransmits > 0 {
            text += &format!(", TCP sent again {retransmits} times");
        }
        if events > 0 {
            text += &format!("; {events} events");
        }
        if lost > 0 {
            text += &format!("; {lost} events lost");
        }
        text
    }
}
