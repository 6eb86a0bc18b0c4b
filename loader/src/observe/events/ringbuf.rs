//! The reading end of a `BPF_MAP_TYPE_RINGBUF`: one ring for all CPUs.
//!
//! The kernel shares three things through the map's descriptor:
//!
//! ```text
//! page 0             the consumer's position: how many bytes we have read, ever (ours to write)
//! page 1             the producer's position: how many bytes were written, ever
//! page 2 …           the ring, mapped twice in a row, so that a record never wraps for the reader
//! ```
//!
//! A record begins with eight bytes: its length in the lower 30 bits of a word whose bit 31 says "still being written" and
//! whose bit 30 says "discarded", then four bytes that are not ours. It takes up whole multiples of eight.
//!
//! A record that finds no room is refused: `bpf_ringbuf_output()` returns -EAGAIN, `bpf_ringbuf_reserve()` NULL, and the kernel counts
//! nothing. But when there is no room can be seen from here. A record of L bytes, header included, is refused if the
//! producer's position plus L would lie more than the ring's size less one before the consumer's. The distance of the two is largest just
//! before the consumer's position moves, so that is where it is looked at: a ring that was never found full has refused no record
//! that is not longer than those that were read from it. One that was found full may have.
//!
//! Kernel: `__bpf_ringbuf_reserve()`, `kernel/bpf/ringbuf.c`; the bits in `include/uapi/linux/bpf.h`. Since 5.8.

use nix::errno::Errno;

use super::{Event, Lost, Record};
use crate::kernel::Map;
use crate::sys::SysError;
use crate::sys::rings::BpfRing;

/// `BPF_MAP_TYPE_RINGBUF`.
pub const MAP_TYPE: u32 = 27;

/// New records overwrite old ones, read or not (6.19): such a ring cannot be read in place.
const BPF_F_RB_OVERWRITE: u32 = 1 << 19;

/// A ring buffer that is being read.
#[derive(Debug)]
pub(super) struct RingBuffer<'map> {
    pub(super) map: &'map Map,
    ring: BpfRing,
    /// Bytes that the longest record so far has taken up.
    longest: usize,
    /// How often it was found full.
    pub(super) full: u64,
}

impl<'map> RingBuffer<'map> {
    pub(super) fn new(map: &'map Map, page: usize) -> Result<Self, SysError> {
        let attr = &map.spec().attr;
        if attr.map_flags & BPF_F_RB_OVERWRITE != 0 {
            return Err(SysError { call: "reading a ring buffer that overwrites", errno: Errno::EOPNOTSUPP });
        }
        let ring = BpfRing::new(map, page, attr.max_entries as usize)?;
        Ok(Self { map, ring, longest: 0, full: 0 })
    }

    pub(super) fn tail(&self) -> u64 {
        self.ring.tail()
    }

    pub(super) fn head(&self) -> u64 {
        self.ring.head()
    }

    /// Takes up to `limit` records, and returns how many.
    #[inline]
    pub(super) fn take(&mut self, limit: usize, each: &mut impl FnMut(Event<'_>)) -> usize {
        let map = self.map;
        let walked = self.ring.walk(limit, |bytes| each(Event::Record(Record { map, cpu: None, time: None, bytes })));
        self.longest = self.longest.max(walked.longest);
        if walked.is_malformed {
            each(Event::Lost(Lost { map, cpu: None, count: 1 }));
        }
        if self.ring.unreleased() > 0 {
            self.release();
        }
        walked.records
    }

    fn release(&mut self) {
        if self.ring.occupied() + self.longest >= self.ring.size() {
            self.full += 1;
        }
        self.ring.release();
    }
}
