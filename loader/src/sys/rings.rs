//! The two kinds of ring that the kernel writes and this process reads: bytes that it has published, in place.
//!
//! Why a slice into memory that the kernel writes is sound: a record lies between two positions, both of which only grow. The
//! kernel moves the producer's, after it has written the record, and then does not write these bytes again before the consumer's
//! position has passed them. Here the consumer's moves in `release` alone, which takes `&mut self`, and a slice borrows the
//! ring: it is gone before its bytes are given back. The pages of a ring buffer cannot be written from user space at all.
//! What stays the caller's part is that a ring has one reader: a second one, here or in another process, would give back what
//! this one still looks at.
//!
//! The positions and headers that are read here are checked as if an enemy had written them: whatever they say, a slice lies inside
//! the ring, and reading ends.

mod perf;

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;

use super::SysError;
use super::mapping::Mapping;

pub(crate) use perf::PerfRing;

/// What a walk through a ring has found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Walked {
    /// Records that were handed out.
    pub(crate) records: usize,
    /// Bytes that the longest of them takes up, its header included.
    pub(crate) longest: usize,
    /// A header that cannot be true has ended the walk. All that was in the ring has been passed over.
    pub(crate) is_malformed: bool,
}

/// How far ahead of the record that is read memory is asked for, in bytes. Where the next header is only the one before it says, so the reader
/// would wait for memory at every line of the cache: 16-byte records then take twice as long.
const AHEAD: usize = 4096;

/// Asks for the memory at an address, whatever it is: nothing is read, and an address that leads nowhere does no harm.
#[inline]
fn prefetch(at: *const u8) {
    // SAFETY: the instruction may be given any address; it never faults.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    // Elsewhere Rust has no stable way to ask.
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Where a reader is.
#[derive(Debug, Default, Clone, Copy)]
struct Place {
    /// How far the kernel had written when it was last looked at.
    head: u64,
    /// How far we have read.
    tail: u64,
    /// How far the kernel knows that we have read.
    released: u64,
}

/// The kernel gets room back a quarter of the ring at a time, so that it never waits for long.
const TURNS: usize = 4;

/// The shared memory of a `BPF_MAP_TYPE_RINGBUF`.
#[derive(Debug)]
pub(crate) struct BpfRing {
    consumer: Mapping,
    /// The producer's page, then the ring twice.
    producer: Mapping,
    page: usize,
    size: usize,
    place: Place,
}

impl BpfRing {
    /// A record's header: its length and two bits, and four bytes that are the kernel's own.
    pub(crate) const HEADER: usize = 8;
    const BUSY: u32 = 1 << 31;
    const DISCARD: u32 = 1 << 30;

    /// Maps a ring buffer of `size` bytes, with pages of `page` bytes.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `EPERM`: not a ring buffer, or one of another size.
    pub(crate) fn new(map: impl AsFd, page: usize, size: usize) -> Result<Self, SysError> {
        if !size.is_power_of_two() || size > usize::MAX / 4 {
            return Err(SysError { call: "mmap", errno: Errno::EINVAL });
        }
        let consumer = Mapping::new(&map, 0, page, true)?;
        let producer = Mapping::new(&map, page, page + 2 * size, false)?;
        let start = consumer.load_u64(0).unwrap_or(0);
        Ok(Self { consumer, producer, page, size, place: Place { head: start, tail: start, released: start } })
    }

    /// Bytes that the ring holds, headers included.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// How far the kernel has written: bytes, ever. Records that are not finished count.
    #[inline]
    pub(crate) fn head(&self) -> u64 {
        self.producer.load_u64(0).unwrap_or(0)
    }

    /// How far we have read.
    pub(crate) fn tail(&self) -> u64 {
        self.place.tail
    }

    /// Bytes that were read and not given back.
    pub(crate) fn unreleased(&self) -> usize {
        self.place.tail.wrapping_sub(self.place.released) as usize
    }

    /// Bytes that the kernel takes for occupied at this moment.
    pub(crate) fn occupied(&self) -> usize {
        self.head().wrapping_sub(self.place.released) as usize
    }

    /// Hands out records, in place: up to `limit` of them, those that were discarded included, and no more than a quarter of the
    /// ring before [`BpfRing::release`]. A record that is still being written ends the walk: records come in the order in which they
    /// were reserved.
    #[inline]
    pub(crate) fn walk(&mut self, limit: usize, mut each: impl FnMut(&[u8])) -> Walked {
        let mut walked = Walked::default();
        let Place { mut head, mut tail, released } = self.place;
        let turn = released.saturating_add((self.size / TURNS) as u64);
        // Up to here there is no question that has not been asked.
        let mut sure = tail;
        let (ring, mask) = (self.producer.at(self.page), self.size - 1);
        for _ in 0..limit {
            if tail >= sure {
                if tail == head {
                    head = self.head();
                }
                sure = head.min(turn);
                if tail == head || tail >= turn {
                    break;
                }
                if head.wrapping_sub(tail) as usize > self.size || !tail.is_multiple_of(8) {
                    walked.is_malformed = true;
                    tail = head;
                    break;
                }
            }
            let at = ring.wrapping_add(tail as usize & mask);
            prefetch(at.wrapping_add(AHEAD));
            // SAFETY: a multiple of 8 within the ring's first copy, which lies whole in the mapping (see `new`); the kernel writes this
            // number atomically.
            let header = unsafe { AtomicU32::from_ptr(at.cast()) }.load(Ordering::Acquire);
            let length = (header & !(Self::BUSY | Self::DISCARD)) as usize;
            let whole = (length + Self::HEADER + 7) & !7;
            if header & Self::BUSY != 0 {
                break;
            }
            if whole as u64 > head.wrapping_sub(tail) {
                walked.is_malformed = true;
                tail = head;
                break;
            }
            tail = tail.wrapping_add(whole as u64);
            if header & Self::DISCARD == 0 {
                walked.records += 1;
                walked.longest = walked.longest.max(whole);
                // SAFETY: it begins in the ring's first copy and is not longer than the ring, so it ends in the second one at the latest, and both
                // lie in the mapping, whose pages are initialised. It lies before the producer's position, is not BUSY (both read with
                // acquire), and was not released: see the top of this file.
                each(unsafe { std::slice::from_raw_parts(at.wrapping_add(Self::HEADER), length) });
            }
        }
        self.place = Place { head, tail, released };
        walked
    }

    /// Gives back what was read: the kernel may write there.
    pub(crate) fn release(&mut self) {
        self.place.released = self.place.tail;
        self.consumer.store_u64(0, self.place.released);
    }
}

#[cfg(test)]
mod tests;
