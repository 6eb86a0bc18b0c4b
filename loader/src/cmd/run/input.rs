//! Where packets come from: names, hex, files, one after the other.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minibpf::packet::capture::Capture;
use minibpf::packet::origin::{Bad, Packet, Place};
use minibpf::packet::{LARGEST, hex, make};

use super::source::{self, Stop};
use crate::cmd::failure::{Exit, Failure};

/// All packets, in order: those made by name, then those of `--data`, then those of `--pcap`.
pub(super) struct Input {
    given: VecDeque<Result<Packet, Bad>>,
    files: VecDeque<PathBuf>,
    capture: Option<Capture>,
    /// Capture files that had no record.
    without_packets: Vec<String>,
    stop: Arc<Stop>,
}

impl Input {
    /// Makes and reads what the arguments give; capture files are read as they are needed. What cannot be read is for
    /// [`Input::next`] to say if it goes on after that.
    pub(super) fn new(
        names: &[String],
        data: &[String],
        files: &[PathBuf],
        stop: Stop,
        keeps_going: bool,
    ) -> Result<Self, Failure> {
        let mut given = VecDeque::new();
        for name in names {
            let frame = make::make(name).map_err(|problem| not_made(name, problem.to_string()))?;
            given.push_back(Ok(Packet { frame, place: Place::Argument(shortened(name)), missing: 0 }));
        }
        for text in data {
            let place = Place::Argument(format!("--data {}", shortened(text)));
            given.push_back(match read_data(text) {
                Ok(frame) => Ok(Packet { frame, place, missing: 0 }),
                Err(failure) if keeps_going && failure.exit == Exit::Other => Err(place.bad(failure.message)),
                Err(failure) if failure.exit == Exit::Other => return Err(failure.at(place)),
                Err(failure) => return Err(failure),
            });
        }
        // A file that is not there is said before anything is loaded.
        for file in files.iter().filter(|file| !keeps_going && *file != Path::new("-")) {
            std::fs::metadata(file).map_err(|error| Failure::new(Exit::Other, error).at(file.display()))?;
        }
        Ok(Self {
            given,
            files: files.iter().cloned().collect(),
            capture: None,
            without_packets: Vec::new(),
            stop: Arc::new(stop),
        })
    }

    /// The next packet, or what is wrong with it; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Packet, Bad>> {
        if let Some(packet) = self.given.pop_front() {
            return Some(packet);
        }
        loop {
            if let Some(next) = self.capture.as_mut().and_then(Capture::next) {
                return Some(next);
            }
            self.without_packets.extend(self.capture.take().and_then(Capture::name_if_empty));
            match source::open(&self.files.pop_front()?, &self.stop) {
                Ok(capture) => self.capture = Some(capture),
                Err(bad) => return Some(Err(bad)),
            }
        }
    }

    /// The capture files that came to their end without a record.
    pub(super) fn without_packets(&self) -> &[String] {
        &self.without_packets
    }
}

/// A name that makes no packet may be a file's.
fn not_made(name: &str, problem: String) -> Failure {
    let failure = Failure::new(Exit::Usage, problem);
    if Path::new(name).exists() {
        failure.hint(format!("--pcap {} reads the packets of a capture file", name.escape_debug()))
    } else {
        failure
    }
}

/// `HEX` or `@FILE`.
fn read_data(text: &str) -> Result<Vec<u8>, Failure> {
    let Some(path) = text.strip_prefix('@') else {
        let usage = |problem| Failure::new(Exit::Usage, format!("--data {}: {problem}", shortened(text)));
        return hex::parse(text, LARGEST).map_err(|problem| usage(problem).hint("a file of bytes is given as @FILE"));
    };
    let mut bytes = Vec::new();
    let limit = LARGEST as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|error| Failure::new(Exit::Other, error))?;
    if bytes.len() > LARGEST {
        return Err(Failure::new(Exit::Other, format!("more than {LARGEST} bytes, which no packet has")));
    }
    Ok(bytes)
}

/// The start of an argument, fit to be printed.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let start: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().count() > SHOWN { format!("{start}…") } else { start }
}
