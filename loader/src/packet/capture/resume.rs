//! Where a capture file goes on after a record that is nonsense: the next place that looks like a record, and like another after it.

use super::Capture;

/// Bytes that are searched at once.
const SEARCHED: usize = 1 << 18;
/// Bytes of a record that is recognised: half of them, so that each search comes further.
const LONGEST: usize = 1 << 17;
/// `struct pcap_sf_pkthdr`: seconds, fraction, bytes captured, bytes there were.
const RECORD_HEADER: usize = 16;
/// No packet has more, segments put together (GRO) included.
const LARGEST_PACKET: u32 = 1 << 20;
/// Seconds: packets of one file are rarely further apart.
const DAY: u32 = 86_400;

/// Whether a record begins at a place.
enum Begins {
    Yes,
    No,
    /// It depends on bytes that have not been read.
    NotYetKnown,
}

impl Capture {
    /// Goes to the next record that can be recognised; `false` if there is none.
    pub(super) fn resume(&mut self) -> bool {
        if self.capacity < SEARCHED {
            self.capacity = SEARCHED;
            self.reader.grow(self.capacity);
        }
        loop {
            while !self.reader.reader_exhausted() && self.reader.data().len() < self.capacity {
                if self.reader.refill().is_err() {
                    return false;
                }
            }
            let data = self.reader.data();
            let is_all = self.reader.reader_exhausted();
            let (found, skipped) = self.search(data, is_all);
            if !found && is_all {
                return false;
            }
            self.reader.consume(skipped);
            if found {
                return true;
            }
        }
    }

    /// Whether there is a record, and where; else where the search is to go on once there are more bytes.
    fn search(&self, data: &[u8], is_all: bool) -> (bool, usize) {
        let mut open = None;
        for at in 1..data.len() {
            match self.begins(data.get(at..).unwrap_or_default(), is_all) {
                Begins::Yes => return (true, at),
                Begins::No => {}
                Begins::NotYetKnown => open = open.or(Some(at)),
            }
        }
        (false, open.unwrap_or(data.len()))
    }

    /// Whether a record, or a block, seems to begin here.
    fn begins(&self, rest: &[u8], is_all: bool) -> Begins {
        let known = |known: bool| if known { Begins::Yes } else { Begins::No };
        let needs_more = if is_all { Begins::No } else { Begins::NotYetKnown };
        if rest.len() < RECORD_HEADER {
            // The last block of pcapng may be as short as twelve bytes, but it holds no packet then.
            return needs_more;
        }
        if !self.is_legacy() {
            return match is_packet_block(rest) {
                false => Begins::No,
                true if self.block_length(rest).is_some() => Begins::Yes,
                true if rest.len() < LONGEST => needs_more,
                true => Begins::No,
            };
        }
        let Some(length) = self.record_length(rest).filter(|length| *length <= LONGEST) else { return Begins::No };
        match rest.get(length..) {
            Some([]) if is_all => Begins::Yes,
            Some(next) if next.len() >= RECORD_HEADER => known(self.record_length(next).is_some()),
            _ => needs_more,
        }
    }

    /// Bytes of a record of pcap with its header, if that makes sense.
    fn record_length(&self, rest: &[u8]) -> Option<usize> {
        let header: &[u8; RECORD_HEADER] = rest.first_chunk()?;
        let word = |at: usize| {
            let bytes = *header.get(at..)?.first_chunk()?;
            Some(if self.section.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
        };
        let (seconds, fraction, captured, length) = (word(0)?, word(4)?, word(8)?, word(12)?);
        let is_near = self.seconds.is_none_or(|last| seconds.abs_diff(last) <= DAY);
        let makes_sense = is_near && fraction < 1_000_000_000 && captured > 0 && captured <= length;
        (makes_sense && captured <= self.snaplen && length <= LARGEST_PACKET)
            .then_some(RECORD_HEADER + captured as usize)
    }
}

/// The block types that hold packets or describe their interfaces, in either byte order.
fn is_packet_block(rest: &[u8]) -> bool {
    const TYPES: [u32; 5] = [1, 2, 3, 6, 0x0a0d_0d0a];
    let kind = rest.first_chunk().map(|bytes| [u32::from_le_bytes(*bytes), u32::from_be_bytes(*bytes)]);
    kind.is_some_and(|kind| kind.iter().any(|kind| TYPES.contains(kind)))
}
