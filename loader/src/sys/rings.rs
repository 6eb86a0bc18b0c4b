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

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;

use super::SysError;
use super::mapping::Mapping;

/// What a walk through a ring has found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Records that were handed out.
    pub records: usize,
    /// Bytes that the longest of them takes up, its header included.
    pub longest: usize,
    /// A header that cannot be true has ended the walk. All that was in the ring has been passed over.
    pub is_malformed: bool,
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

/// The shared memory of a BPF_MAP_TYPE_RINGBUF.
#[derive(Debug)]
pub struct BpfRing {
    consumer: Mapping,
    /// The producer's page, then the ring twice.
    producer: Mapping,
    page: usize,
    size: usize,
    place: Place,
}

impl BpfRing {
    /// A record's header: its length and two bits, and four bytes that are the kernel's own.
    pub const HEADER: usize = 8;
    const BUSY: u32 = 1 << 31;
    const DISCARD: u32 = 1 << 30;

    /// Maps a ring buffer of `size` bytes, with pages of `page` bytes.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `EPERM`: not a ring buffer, or one of another size.
    pub fn new(map: impl AsFd, page: usize, size: usize) -> Result<Self, SysError> {
        if !size.is_power_of_two() || size > usize::MAX / 4 {
            return Err(SysError { call: "mmap", errno: Errno::EINVAL });
        }
        let consumer = Mapping::new(&map, 0, page, true)?;
        let producer = Mapping::new(&map, page, page + 2 * size, false)?;
        let start = consumer.load_u64(0).unwrap_or(0);
        Ok(Self { consumer, producer, page, size, place: Place { head: start, tail: start, released: start } })
    }

    /// Bytes that the ring holds, headers included.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How far the kernel has written: bytes, ever. Records that are not finished count.
    #[inline]
    pub fn head(&self) -> u64 {
        self.producer.load_u64(0).unwrap_or(0)
    }

    /// How far we have read.
    pub fn tail(&self) -> u64 {
        self.place.tail
    }

    /// Bytes that were read and not given back.
    pub fn unreleased(&self) -> usize {
        self.place.tail.wrapping_sub(self.place.released) as usize
    }

    /// Bytes that the kernel takes for occupied at this moment.
    pub fn occupied(&self) -> usize {
        self.head().wrapping_sub(self.place.released) as usize
    }

    /// Hands out records, in place: up to `limit` of them, those that were discarded included, and no more than a quarter of the
    /// ring before [`BpfRing::release`]. A record that is still being written ends the walk: records come in the order in which they
    /// were reserved.
    #[inline]
    pub fn walk(&mut self, limit: usize, mut each: impl FnMut(&[u8])) -> Walked {
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
            tail += whole as u64;
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
    pub fn release(&mut self) {
        self.place.released = self.place.tail;
        self.consumer.store_u64(0, self.place.released);
    }
}

/// The shared memory of a perf event: a page with both positions, then the ring.
#[derive(Debug)]
pub struct PerfRing {
    memory: Mapping,
    page: usize,
    size: usize,
    place: Place,
    /// A record that goes over the ring's end, put together.
    whole: Vec<u8>,
}

/// `data_head` and `data_tail` of `struct perf_event_mmap_page`, `include/uapi/linux/perf_event.h`.
const DATA_HEAD: usize = 1024;
const DATA_TAIL: usize = 1032;

impl PerfRing {
    /// `struct perf_event_header`: type (4 bytes), misc (2), length of the whole record (2).
    pub const HEADER: usize = 8;

    /// Maps an event's buffer, a power of two of pages of `page` bytes. Mapped writable, the kernel drops what finds no room
    /// instead of overwriting what was not read.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: not a power of two of pages.
    /// - `EPERM`: more locked memory than `kernel.perf_event_mlock_kb` and `RLIMIT_MEMLOCK` allow; not with `CAP_IPC_LOCK`.
    ///
    /// Kernel: `perf_mmap()`, `kernel/events/core.c`.
    pub fn new(event: impl AsFd, page: usize, pages: usize) -> Result<Self, SysError> {
        let size = page.checked_mul(pages).filter(|size| size.is_power_of_two() && page.is_power_of_two());
        let size = size.ok_or(SysError { call: "mmap", errno: Errno::EINVAL })?;
        let memory = Mapping::new(event, 0, page + size, true)?;
        Ok(Self { memory, page, size, place: Place::default(), whole: Vec::new() })
    }

    /// How far the kernel has written: bytes, ever.
    #[inline]
    pub fn head(&self) -> u64 {
        self.memory.load_u64(DATA_HEAD).unwrap_or(0)
    }

    /// How far we have read.
    pub fn tail(&self) -> u64 {
        self.place.tail
    }

    /// Bytes that the ring holds.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Bytes that were read and not given back.
    pub fn unreleased(&self) -> usize {
        self.place.tail.wrapping_sub(self.place.released) as usize
    }

    /// Hands out records with their headers: up to `limit` of them, and no more than a quarter of the ring before
    /// [`PerfRing::release`]. One that goes over the ring's end is copied, all others are in place.
    #[inline]
    pub fn walk(&mut self, limit: usize, mut each: impl FnMut(&[u8])) -> Walked {
        let mut walked = Walked::default();
        let Place { mut head, mut tail, released } = self.place;
        let turn = (self.size / TURNS) as u64;
        for _ in 0..limit {
            if tail == head {
                head = self.head();
            }
            let left = head.wrapping_sub(tail) as usize;
            if left == 0 || tail.wrapping_sub(released) >= turn {
                break;
            }
            let at = tail as usize & (self.size - 1);
            let Some(length) = self.length(at, left) else {
                walked.is_malformed = true;
                tail = head;
                break;
            };
            walked.records += 1;
            walked.longest = walked.longest.max(length);
            prefetch(self.memory.at(self.page + at + AHEAD));
            let first = length.min(self.size - at);
            // SAFETY: the bytes lie before `data_head`, read with acquire, and were not released: see the top of this file.
            let begin = unsafe { self.memory.slice(self.page + at, first) }.unwrap_or_default();
            if first == length {
                each(begin);
            } else {
                // SAFETY: as above.
                let rest = unsafe { self.memory.slice(self.page, length - first) }.unwrap_or_default();
                self.whole.clear();
                self.whole.extend_from_slice(begin);
                self.whole.extend_from_slice(rest);
                each(&self.whole);
            }
            tail += length as u64;
        }
        self.place = Place { head, tail, released };
        walked
    }

    /// What the header at this place says of the whole record's length, where it can be true.
    #[inline]
    fn length(&self, at: usize, left: usize) -> Option<usize> {
        if left > self.size || left < Self::HEADER || !at.is_multiple_of(8) {
            return None;
        }
        // SAFETY: as in `walk`: the header lies before `data_head`, which is at least its length away.
        let header = unsafe { self.memory.slice(self.page + at, Self::HEADER) }?;
        let length = usize::from(u16::from_ne_bytes(*header.last_chunk()?));
        (length >= Self::HEADER && length <= left && length.is_multiple_of(8)).then_some(length)
    }

    /// Gives back what was read: the kernel may write there.
    pub fn release(&mut self) {
        self.place.released = self.place.tail;
        self.memory.store_u64(DATA_TAIL, self.place.released);
    }
}

#[cfg(test)]
mod tests;
