//! Where a capture file goes on after a record that is nonsense: the next place that looks like a record, and like another after it.

use super::Capture;

/// Bytes that are searched at once.
const SEARCHED: usize = 1 << 18;
/// Of them, those that are searched again together with what follows: the place may be the start of a record.
const KEPT: usize = 1 << 17;
/// `struct pcap_sf_pkthdr`: seconds, fraction, bytes captured, bytes there were.
const RECORD_HEADER: usize = 16;
/// No packet has more, segments put together (GRO) included.
const LARGEST_PACKET: u32 = 1 << 20;
/// Seconds: packets of one file are rarely further apart.
const DAY: u32 = 86_400;

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
            let found = (1..data.len()).find(|at| data.get(*at..).is_some_and(|rest| self.begins(rest)));
            let skipped = found.unwrap_or(data.len().saturating_sub(KEPT));
            let goes_on = found.is_some();
            if !goes_on && self.reader.reader_exhausted() {
                return false;
            }
            self.reader.consume(skipped);
            if goes_on {
                return true;
            }
        }
    }

    /// Whether a record, or a block, seems to begin here.
    fn begins(&self, rest: &[u8]) -> bool {
        if !self.is_legacy() {
            return is_packet_block(rest) && self.block_length(rest).is_some();
        }
        let Some(length) = self.record_length(rest) else { return false };
        rest.get(length..).is_some_and(|next| next.is_empty() || self.record_length(next).is_some())
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
