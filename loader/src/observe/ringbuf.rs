//! The reading end of a BPF_MAP_TYPE_RINGBUF.
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
//! Kernel: `kernel/bpf/ringbuf.c`; the bits in `include/uapi/linux/bpf.h`. Since 5.8.

use std::os::fd::{AsFd, BorrowedFd};

use crate::kernel::Map;
use crate::sys::SysError;
use crate::sys::mapping::Mapping;

/// BPF_MAP_TYPE_RINGBUF.
pub const MAP_TYPE: u32 = 27;

const BUSY: u32 = 1 << 31;
const DISCARD: u32 = 1 << 30;
const HEADER: usize = 8;

/// A ring buffer that is being read. Its descriptor becomes readable (poll, epoll) when there is a record.
#[derive(Debug)]
pub struct RingBuffer<'map> {
    map: &'map Map,
    consumer: Mapping,
    /// The producer's page, then the ring twice.
    producer: Mapping,
    page: usize,
    size: usize,
}

impl AsFd for RingBuffer<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

impl<'map> RingBuffer<'map> {
    /// Maps a ring buffer into memory. `page` is the size of a page in bytes.
    ///
    /// # Errors
    ///
    /// `EPERM`, `EINVAL`: the map is no ring buffer.
    pub fn new(map: &'map Map, page: usize) -> Result<Self, SysError> {
        let size = map.spec().attr.max_entries as usize;
        let consumer = Mapping::new(map, 0, page, true)?;
        let producer = Mapping::new(map, page, page + 2 * size, false)?;
        Ok(Self { map, consumer, producer, page, size })
    }

    /// The map's name.
    pub fn name(&self) -> &str {
        self.map.name()
    }

    /// Takes the next record, if there is a finished one.
    pub fn next_record(&self) -> Option<Vec<u8>> {
        loop {
            let consumed = self.consumer.load_u64(0)?;
            let produced = self.producer.load_u64(0)?;
            if consumed >= produced {
                return None;
            }
            let at = self.page + (consumed as usize & (self.size - 1));
            let header = self.producer.load_u32(at)?;
            if header & BUSY != 0 {
                // Records become ours in the order in which they were reserved.
                return None;
            }
            let length = (header & !DISCARD) as usize;
            let record = (header & DISCARD == 0).then(|| self.producer.copy(at + HEADER, length));
            self.consumer.store_u64(0, consumed + (HEADER + length).next_multiple_of(8) as u64);
            if record.is_some() {
                return record;
            }
        }
    }
}
