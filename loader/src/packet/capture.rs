//! Capture files: record by record, in bounded memory.
//!
//! Nothing that a file says is trusted: a record larger than 16 MiB is not waited for, and each error names the record
//! and the byte that it begins at.

mod records;
mod resume;

use std::io::{Cursor, Read};

use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};

use super::link::LinkType;
use super::origin::{Bad, Packet, Place};
use records::{Interface, Section, frame, legacy, next_generation, too_long};

/// Bytes of the buffer at first.
const FIRST_BUFFER: usize = 1 << 16;
/// Bytes of a block that are waited for. Only what surrounds packets, such as a list of names, is as large as that.
const LARGEST_BLOCK: usize = 16 << 20;
/// The largest record that libpcap writes or reads (`MAXIMUM_SNAPLEN`), unless the file itself says that it has larger ones.
const MAXIMUM_SNAPLEN: u32 = 262_144;

/// A capture file that is being read.
pub struct Capture {
    file: String,
    reader: Box<dyn PcapReaderIterator + Send>,
    /// Bytes of the buffer now.
    capacity: usize,
    section: Section,
    snaplen: u32,
    /// When the last record of pcap was captured.
    seconds: Option<u32>,
    /// Records before this one.
    record: u64,
    state: State,
}

/// How far the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// The last record was nonsense.
    Lost,
    End,
}

/// What the file has next.
enum Next {
    /// A record: its link type, if the file has told that, and its bytes.
    Record {
        link: Option<LinkType>,
        bytes: Vec<u8>,
        /// Bytes of the packet that were not captured.
        missing: u32,
    },
    /// A record with this problem; the one after it can be read.
    Bad(String),
    /// Something without a packet.
    Other,
    /// More bytes are wanted.
    More,
    /// A larger buffer is wanted.
    Grow,
    End,
    /// Nothing says where the next record begins.
    Lost(String),
}

/// Why the crate gave no block.
enum Trouble {
    End,
    Incomplete,
    /// It does not fit the buffer.
    TooLarge,
    /// The file ends in it.
    CutOff,
    Reading,
    Malformed,
}

impl Trouble {
    fn of(error: &PcapError<&[u8]>) -> Self {
        match error {
            PcapError::Eof => Self::End,
            PcapError::Incomplete(_) => Self::Incomplete,
            PcapError::BufferTooSmall => Self::TooLarge,
            PcapError::UnexpectedEof => Self::CutOff,
            PcapError::ReadError => Self::Reading,
            _ => Self::Malformed,
        }
    }
}

impl Iterator for Capture {
    type Item = Result<Packet, Bad>;

    /// The next packet as an Ethernet frame, or what is wrong with it; `None` at the end.
    fn next(&mut self) -> Option<Self::Item> {
        while self.state != State::End {
            if self.state == State::Lost {
                self.state = if self.resume() { State::Reading } else { State::End };
                continue;
            }
            let offset = self.reader.consumed() as u64;
            let place = Place::Record { file: self.file.clone(), record: self.record, offset };
            let next = match self.read() {
                Next::Other => continue,
                Next::More if self.reader.refill().is_ok() => continue,
                Next::Grow if self.capacity < LARGEST_BLOCK => {
                    self.capacity *= 2;
                    self.reader.grow(self.capacity);
                    continue;
                }
                Next::End => {
                    self.state = State::End;
                    continue;
                }
                Next::Record { link, bytes, missing } => frame(link, &bytes).map(|frame| (frame, missing)),
                Next::Bad(problem) => Err(problem),
                Next::More => {
                    self.state = State::End;
                    Err("reading failed".to_owned())
                }
                Next::Grow => {
                    self.state = State::Lost;
                    Err(format!("claims more than {LARGEST_BLOCK} bytes"))
                }
                Next::Lost(problem) => {
                    self.state = State::Lost;
                    Err(problem)
                }
            };
            self.record += 1;
            return Some(match next {
                Ok((frame, missing)) => Ok(Packet { frame, place, missing }),
                Err(problem) => Err(place.bad(problem)),
            });
        }
        None
    }
}

impl Capture {
    /// Reads the header. `file` is what the places of packets are to call the file.
    ///
    /// # Errors
    ///
    /// There is no header of pcap or pcapng.
    pub fn new(file: String, source: Box<dyn Read + Send>) -> Result<Self, Bad> {
        let bad = |problem: String| Place::Record { file: file.clone(), record: 0, offset: 0 }.bad(problem);
        let source = with_header(source).map_err(bad)?;
        let reader = create_reader(FIRST_BUFFER, source).map_err(|error| bad(header_problem(&error)))?;
        Ok(Self {
            file,
            reader,
            capacity: FIRST_BUFFER,
            section: Section::default(),
            snaplen: 0,
            seconds: None,
            record: 0,
            state: State::Reading,
        })
    }

    /// The file's name, if it had no record at all.
    pub fn name_if_empty(self) -> Option<String> {
        (self.record == 0).then_some(self.file)
    }

    /// Whether it is pcap, not pcapng: only that has a length for all records in its header.
    fn is_legacy(&self) -> bool {
        self.snaplen != 0
    }

    fn read(&mut self) -> Next {
        let read = match self.reader.next() {
            Ok((length, PcapBlockOwned::LegacyHeader(header))) => {
                let interfaces = vec![Interface::of_legacy(header.network)];
                self.section = Section { interfaces, is_big_endian: header.is_bigendian() };
                self.snaplen = header.snaplen.max(MAXIMUM_SNAPLEN);
                Ok((length, Next::Other))
            }
            Ok((length, PcapBlockOwned::Legacy(record))) => {
                self.seconds = Some(record.ts_sec);
                Ok((length, legacy(&record, self.snaplen, &self.section)))
            }
            Ok((length, PcapBlockOwned::NG(block))) => Ok((length, next_generation(block, &mut self.section))),
            Err(error) => Err(Trouble::of(&error)),
        };
        let (length, next) = match read {
            Ok(read) => read,
            Err(Trouble::End) => return Next::End,
            Err(Trouble::Reading) => return Next::Lost("reading failed".to_owned()),
            Err(trouble) => match (self.block_length(self.reader.data()), trouble) {
                // A block that is all there, but says that its parts are longer.
                (Some(length), _) => (length, Next::Bad("a block that contradicts itself".to_owned())),
                (None, Trouble::Incomplete) => return Next::More,
                (None, Trouble::TooLarge) => return self.too_large(),
                (None, Trouble::CutOff) => return self.cut_off(),
                (None, _) => return Next::Lost("no block begins here".to_owned()),
            },
        };
        self.reader.consume(length);
        next
    }

    /// An end without a byte of the next record is an end.
    fn cut_off(&self) -> Next {
        match self.reader.data().len() {
            0 => Next::End,
            left => Next::Lost(format!("the file ends in the middle of it, after {left} bytes")),
        }
    }

    /// A record that does not fit the buffer: a large one, or nonsense.
    fn too_large(&self) -> Next {
        let claimed = self.reader.data().get(8..12).and_then(|bytes| bytes.first_chunk::<4>());
        let of_legacy = claimed.map(|bytes| u32::from_le_bytes(*bytes).min(u32::from_be_bytes(*bytes)));
        match of_legacy.filter(|_| self.is_legacy()) {
            Some(claimed) if claimed > self.snaplen => Next::Lost(too_long(claimed, self.snaplen)),
            // The file may end before it.
            _ if self.reader.data().len() < self.capacity => Next::More,
            _ => Next::Grow,
        }
    }

    /// How far the next block of pcapng is, where this one cannot be read but says it twice.
    fn block_length(&self, data: &[u8]) -> Option<usize> {
        let length = data.get(4..8)?;
        let number = length.first_chunk::<4>().map(|bytes| [u32::from_le_bytes(*bytes), u32::from_be_bytes(*bytes)])?;
        let number = number.into_iter().min()? as usize;
        let again = data.get(number.checked_sub(4)?..number)?;
        (number >= 12 && number.is_multiple_of(4) && again == length && !self.is_legacy()).then_some(number)
    }
}

/// Reads as much as tells the format: a pipe gives few bytes at a time, and the crate looks at what it got first.
fn with_header(mut source: Box<dyn Read + Send>) -> Result<impl Read + Send, String> {
    const PCAP_HEADER: u64 = 24;
    const NEXT_GENERATION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let mut start = Vec::new();
    let mut read = |start: &mut Vec<u8>, count: u64| {
        (&mut source).take(count).read_to_end(start).map(drop).map_err(|error| error.to_string())
    };
    read(&mut start, PCAP_HEADER)?;
    if start.is_empty() {
        return Err("empty: not even a header".to_owned());
    }
    if start.starts_with(&GZIP) {
        return Err("compressed with gzip: zcat FILE | minibpf run … --pcap - reads it".to_owned());
    }
    if start.starts_with(&NEXT_GENERATION) {
        let length = start.get(4..8).and_then(|bytes| bytes.first_chunk::<4>()).copied().unwrap_or_default();
        let length = u64::from(u32::from_le_bytes(length).min(u32::from_be_bytes(length)));
        let left = length.saturating_sub(start.len() as u64).min(FIRST_BUFFER as u64 / 2);
        read(&mut start, left)?;
    }
    Ok(Cursor::new(start).chain(source))
}

fn header_problem(error: &PcapError<&[u8]>) -> String {
    match error {
        PcapError::HeaderNotRecognized => "neither pcap nor pcapng: unknown magic".to_owned(),
        PcapError::ReadError => "reading failed".to_owned(),
        _ => "the header is cut off".to_owned(),
    }
}

#[cfg(test)]
mod tests;
