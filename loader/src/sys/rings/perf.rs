//! The ring of a perf event, which `bpf_perf_event_output()` writes into.

use std::os::fd::AsFd;

use nix::errno::Errno;

use super::super::SysError;
use super::super::mapping::Mapping;
use super::{AHEAD, Place, TURNS, Walked, prefetch};

/// The shared memory of a perf event: a page with both positions, then the ring.
#[derive(Debug)]
pub(crate) struct PerfRing {
    memory: Mapping,
    page: usize,
    size: usize,
    place: Place,
    /// A record that goes over the ring's end, put together.
    whole: Vec<u8>,
}

/// `data_head` and `data_tail` of `struct perf_event_mmap_page`, `include/uapi/linux/perf_event.h`.
pub(super) const DATA_HEAD: usize = 1024;
pub(super) const DATA_TAIL: usize = 1032;

impl PerfRing {
    /// `struct perf_event_header`: type (4 bytes), misc (2), length of the whole record (2).
    pub(crate) const HEADER: usize = 8;

    /// Maps an event's buffer, a power of two of pages of `page` bytes. Mapped writable, the kernel drops what finds no room
    /// instead of overwriting what was not read.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: not a power of two of pages.
    /// - `EPERM`: more locked memory than `kernel.perf_event_mlock_kb` and `RLIMIT_MEMLOCK` allow; not with `CAP_IPC_LOCK`.
    ///
    /// Kernel: `perf_mmap()`, `kernel/events/core.c`.
    pub(crate) fn new(event: impl AsFd, page: usize, pages: usize) -> Result<Self, SysError> {
        let size = page.checked_mul(pages).filter(|size| size.is_power_of_two() && page.is_power_of_two());
        let size = size.ok_or(SysError { call: "mmap", errno: Errno::EINVAL })?;
        let memory = Mapping::new(event, 0, page + size, true)?;
        Ok(Self { memory, page, size, place: Place::default(), whole: Vec::new() })
    }

    /// How far the kernel has written: bytes, ever.
    #[inline]
    pub(crate) fn head(&self) -> u64 {
        self.memory.load_u64(DATA_HEAD).unwrap_or(0)
    }

    /// How far we have read.
    pub(crate) fn tail(&self) -> u64 {
        self.place.tail
    }

    /// Bytes that were read and not given back.
    pub(crate) fn unreleased(&self) -> usize {
        self.place.tail.wrapping_sub(self.place.released) as usize
    }

    /// Hands out records with their headers: up to `limit` of them, and no more than a quarter of the ring before
    /// [`PerfRing::release`]. One that goes over the ring's end is copied, all others are in place.
    #[inline]
    pub(crate) fn walk(&mut self, limit: usize, mut each: impl FnMut(&[u8])) -> Walked {
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
            let begin = bytes(&self.memory, self.page + at, first).unwrap_or_default();
            if first == length {
                each(begin);
            } else {
                let rest = bytes(&self.memory, self.page, length - first).unwrap_or_default();
                self.whole.clear();
                self.whole.extend_from_slice(begin);
                self.whole.extend_from_slice(rest);
                each(&self.whole);
            }
            tail = tail.wrapping_add(length as u64);
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
        let header = bytes(&self.memory, self.page + at, Self::HEADER)?;
        let length = usize::from(u16::from_ne_bytes(*header.last_chunk()?));
        (length >= Self::HEADER && length <= left && length.is_multiple_of(8)).then_some(length)
    }

    /// Gives back what was read: the kernel may write there.
    pub(crate) fn release(&mut self) {
        self.place.released = self.place.tail;
        self.memory.store_u64(DATA_TAIL, self.place.released);
    }
}

/// Bytes of the ring that lie before `data_head`, which was read with acquire, and were not released.
fn bytes(memory: &Mapping, at: usize, len: usize) -> Option<&[u8]> {
    // SAFETY: the callers, both above, ask for nothing else: see the top of `rings`.
    unsafe { memory.slice(at, len) }
}
