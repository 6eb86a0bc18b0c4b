//! `--expect`: what is to become of a packet.

use std::str::FromStr;

use minibpf::btf::encode::encode_number;

use super::How;
use super::trial::{Seen, Verdict};
use crate::cmd::failure::{Exit, Failure};

/// `keep`, `0:drop`, `64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expectation {
    /// Which packet; `None`: each.
    packet: Option<u64>,
    wanted: Wanted,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Verdict(Verdict),
    Returned(u32),
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (packet, wanted) = match text.split_once(':') {
            None => (None, text),
            Some((packet, wanted)) => {
                let number = packet.parse().map_err(|_| "before the colon stands a packet's number, from 0")?;
                (Some(number), wanted)
            }
        };
        let wanted = match wanted {
            "keep" => Wanted::Verdict(Verdict::Keep),
            "trim" => Wanted::Verdict(Verdict::Trim),
            "drop" => Wanted::Verdict(Verdict::Drop),
            number => Wanted::Returned(returned(number)?),
        };
        Ok(Self { packet, wanted, text: text.to_owned() })
    }
}

/// A return value: 32 bits, as C writes it with a sign or without.
fn returned(text: &str) -> Result<u32, String> {
    let bytes = encode_number(4, text)
        .map_err(|problem| format!("neither keep, trim nor drop; and as the number that is returned: {problem}"))?;
    Ok(bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)))
}

impl Expectation {
    /// What goes over no connection of its own is neither kept nor trimmed.
    fn is_met(&self, seen: &Seen) -> bool {
        match self.wanted {
            Wanted::Verdict(Verdict::Keep | Verdict::Trim) if drops_handshake(seen) => false,
            Wanted::Verdict(verdict) => seen.verdict == verdict,
            Wanted::Returned(number) => seen.ret == Some(number),
        }
    }
}

/// Whether a connection came about only before the filter was there.
fn drops_handshake(seen: &Seen) -> bool {
    let segments = seen.travel.as_ref().and_then(|travel| travel.tcp.as_ref());
    segments.is_some_and(|segments| !segments.handshake)
}

/// All of them, and what differed so far.
pub(super) struct Expectations<'a> {
    all: &'a [Expectation],
    first: Option<String>,
    differences: u64,
}

impl<'a> Expectations<'a> {
    pub(super) fn new(all: &'a [Expectation]) -> Self {
        Self { all, first: None, differences: 0 }
    }

    pub(super) fn check(&mut self, number: u64, seen: &Seen) {
        let of_this = |expected: &&Expectation| expected.packet.is_none_or(|packet| packet == number);
        for expected in self.all.iter().filter(of_this) {
            if !expected.is_met(seen) {
                self.differs(|| {
                    let wanted = expected.wanted.words();
                    let what = if drops_handshake(seen) && seen.verdict != Verdict::Drop {
                        "but the filter drops the handshake, so no connection comes about".to_owned()
                    } else {
                        format!("found {}", found(seen))
                    };
                    format!("packet {number}: expected {wanted}, {what}")
                });
            }
        }
    }

    fn differs(&mut self, text: impl FnOnce() -> String) {
        self.differences += 1;
        self.first.get_or_insert_with(text);
    }

    /// Fails with the first difference; `packets` is how many there were.
    pub(super) fn end(mut self, packets: u64, how: How) -> Result<(), Failure> {
        for expected in self.all {
            if expected.packet.is_some_and(|packet| packet >= packets) {
                self.differs(|| {
                    let plural =
                        if packets == 1 { "was only 1 packet" } else { &format!("were only {packets} packets") };
                    format!("--expect {}: there {plural}, counted from 0", expected.text)
                });
            }
        }
        if let (Some(expected), 0) = (self.all.first(), packets) {
            self.differs(|| format!("--expect {}: there were no packets", expected.text));
        }
        let Some(first) = self.first else { return Ok(()) };
        let more = match self.differences {
            1 => String::new(),
            2 => " (and 1 more difference)".to_owned(),
            all => format!(" (and {} more differences)", all - 1),
        };
        Err(Failure::new(Exit::Other, format!("{first}{more}"))
            .hint(format!("byte 0 of a packet was the {}", how.byte0())))
    }
}

impl Wanted {
    fn words(self) -> String {
        match self {
            Self::Verdict(verdict) => verdict.word().to_owned(),
            Self::Returned(number) => format!("a return value of {number}"),
        }
    }
}

fn found(seen: &Seen) -> String {
    let Seen { len, ret, verdict, kept, .. } = seen;
    match ret {
        Some(ret) => format!("{}: the filter returned {ret} for {len} bytes", verdict.word()),
        None => {
            format!("{}: {kept} of {len} bytes were kept; a socket tells no more of what was returned", verdict.word())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ret: u32, verdict: Verdict) -> Seen {
        Seen { len: 50, ret: Some(ret), verdict, kept: ret.min(50), mean_ns: None, travel: None }
    }

    fn failure(expected: &[&str], packets: &[Seen]) -> Option<String> {
        let all: Vec<Expectation> = expected.iter().map(|text| text.parse().unwrap()).collect();
        let mut expectations = Expectations::new(&all);
        for (number, seen) in packets.iter().enumerate() {
            expectations.check(number as u64, seen);
        }
        expectations.end(packets.len() as u64, How::TestRun).err().map(|failure| failure.message)
    }

    #[test]
    fn a_verdict_or_a_return_value_is_held_against_each_packet_or_one() {
        let packets = [seen(50, Verdict::Keep), seen(20, Verdict::Trim), seen(0, Verdict::Drop)];
        assert_eq!(failure(&["0:keep", "1:trim", "2:drop", "1:20", "1:0x14"], &packets), None);
        assert_eq!(failure(&[], &packets), None);
        assert_eq!(
            failure(&["keep"], &packets).unwrap(),
            "packet 1: expected keep, found trim: the filter returned 20 for 50 bytes (and 1 more difference)"
        );
        assert_eq!(
            failure(&["1:21"], &packets).unwrap(),
            "packet 1: expected a return value of 21, found trim: the filter returned 20 for 50 bytes"
        );
        assert_eq!(failure(&["-1"], &[seen(u32::MAX, Verdict::Keep)]), None);
    }

    #[test]
    fn a_packet_that_never_came_is_a_difference() {
        let text = "--expect 1:keep: there was only 1 packet, counted from 0";
        assert_eq!(failure(&["1:keep"], &[seen(50, Verdict::Keep)]).unwrap(), text);
        assert_eq!(failure(&["keep"], &[]).unwrap(), "--expect keep: there were no packets");
    }

    #[test]
    fn what_is_no_expectation_is_refused() {
        for wrong in ["", "pass", "x:keep", ":keep", "0:", "4294967296", "-2147483649", "0:1:2"] {
            assert!(wrong.parse::<Expectation>().is_err(), "{wrong}");
        }
    }
}
