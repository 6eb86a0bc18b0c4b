//! The reading end of a `BPF_MAP_TYPE_PERF_EVENT_ARRAY`: a ring for each CPU.
//!
//! The map holds perf events, one a slot, and the slot is the CPU's number. `bpf_perf_event_output()` with `BPF_F_CURRENT_CPU` writes a
//! sample into the event of the CPU that it runs on. User space opens the events, maps their buffers, and puts them into the slots:
//!
//! ```text
//! page 0             struct perf_event_mmap_page: data_head (how much was written, ever) and data_tail (how much was read)
//! page 1 …           the ring: a power of two of pages, mapped once, so that a record can wrap
//!
//! PERF_RECORD_SAMPLE header, time (8 bytes), length (4 bytes), the program's bytes
//! PERF_RECORD_LOST   header, id (8 bytes), how many samples were lost since the last (8 bytes)
//! ```
//!
//! What finds no room is lost, and counted. The kernel says so with the next sample that does find room, so after the last sample there
//! may be a rest; that is asked for by read(2), since Linux 6.0.
//!
//! The kernel rounds a sample up so that length and bytes fill whole multiples of eight: a program that gives 16 bytes is read
//! as 20, and the last four mean nothing.
//!
//! Kernel: `__bpf_perf_event_output()`, `kernel/trace/bpf_trace.c`; `perf_output_begin()`, `kernel/events/ring_buffer.c`;
//! `perf_output_sample()`, `kernel/events/core.c`. Of socket filters since 5.4.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;

use super::{Event, Lost, Record};
use crate::kernel::Map;
use crate::sys::SysError;
use crate::sys::perf_event::{lost_samples, open_bpf_output};
use crate::sys::rings::PerfRing;

/// `BPF_MAP_TYPE_PERF_EVENT_ARRAY`.
pub const MAP_TYPE: u32 = 4;

const PERF_RECORD_LOST: u32 = 2;
const PERF_RECORD_SAMPLE: u32 = 9;

/// Bytes that a program may have given where a sample has `len`: rounding up hides the number.
pub fn lengths_before_padding(len: usize) -> std::ops::RangeInclusive<usize> {
    len.saturating_sub(7)..=len
}

/// The event of one CPU.
#[derive(Debug)]
pub(super) struct CpuBuffer<'map> {
    pub(super) map: &'map Map,
    pub(super) cpu: u32,
    pub(super) event: OwnedFd,
    ring: PerfRing,
    /// Lost samples that were told of.
    told: u64,
}

impl<'map> CpuBuffer<'map> {
    /// Opens the event of a CPU and puts it into its slot; `None` where the CPU is offline.
    pub(super) fn open(map: &'map Map, cpu: u32, page: usize, pages: usize) -> Result<Option<Self>, SysError> {
        let event = match open_bpf_output(cpu) {
            Err(error) if error.errno == Errno::ENODEV => return Ok(None),
            result => result?,
        };
        let ring = PerfRing::new(&event, page, pages)?;
        map.fd().update(&cpu.to_ne_bytes(), &event.as_raw_fd().to_ne_bytes())?;
        Ok(Some(Self { map, cpu, event, ring, told: 0 }))
    }

    pub(super) fn tail(&self) -> u64 {
        self.ring.tail()
    }

    pub(super) fn head(&self) -> u64 {
        self.ring.head()
    }

    /// Takes up to `limit` records, and returns how many of them were samples.
    #[inline]
    pub(super) fn take(&mut self, limit: usize, each: &mut impl FnMut(Event<'_>)) -> usize {
        let (map, cpu) = (self.map, Some(self.cpu));
        let mut samples = 0;
        let walked = self.ring.walk(limit, |record| {
            let count = match parse(record) {
                Parsed::Sample(time, bytes) => {
                    samples += 1;
                    return each(Event::Record(Record { map, cpu, time: Some(time), bytes }));
                }
                Parsed::Lost(count) => {
                    self.told = self.told.saturating_add(count);
                    count
                }
                Parsed::Other => return,
                Parsed::Malformed => 1,
            };
            each(Event::Lost(Lost { map, cpu, count }));
        });
        if walked.is_malformed {
            each(Event::Lost(Lost { map, cpu, count: 1 }));
        }
        if self.ring.unreleased() > 0 {
            self.ring.release();
        }
        samples
    }

    /// What was lost and is not told of yet, because no sample came after it.
    pub(super) fn lost_since(&mut self) -> Option<Lost<'map>> {
        let count = lost_samples(&self.event)?.checked_sub(self.told).filter(|count| *count > 0)?;
        self.told += count;
        Some(Lost { map: self.map, cpu: Some(self.cpu), count })
    }
}

/// A record of a perf buffer, as this reader asked for it.
#[derive(Debug, PartialEq, Eq)]
enum Parsed<'a> {
    /// When (`CLOCK_MONOTONIC`, nanoseconds), and the program's bytes.
    Sample(u64, &'a [u8]),
    Lost(u64),
    /// Of no interest here.
    Other,
    Malformed,
}

#[inline]
fn parse(record: &[u8]) -> Parsed<'_> {
    let parsed = || {
        let (kind, rest) = record.split_first_chunk()?;
        let (_, rest) = rest.split_first_chunk::<4>()?;
        match u32::from_ne_bytes(*kind) {
            PERF_RECORD_SAMPLE => {
                let (time, rest) = rest.split_first_chunk()?;
                let (length, rest) = rest.split_first_chunk()?;
                let bytes = rest.get(..u32::from_ne_bytes(*length) as usize)?;
                Some(Parsed::Sample(u64::from_ne_bytes(*time), bytes))
            }
            PERF_RECORD_LOST => {
                let (_, rest) = rest.split_first_chunk::<8>()?;
                Some(Parsed::Lost(u64::from_ne_bytes(*rest.first_chunk()?)))
            }
            _ => Some(Parsed::Other),
        }
    };
    parsed().unwrap_or(Parsed::Malformed)
}

#[cfg(test)]
mod tests;
