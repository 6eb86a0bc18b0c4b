//! What programs report: the reading end of ring buffers and perf event arrays, as one [`Consumer`].
//!
//! ```ignore (needs CAP_BPF)
//! use minibpf::observe::events::{Consumer, Event};
//! # use std::{io::Write, net::{TcpListener, TcpStream}};
//! # const OBJECT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bpf/http.bpf.o"));
//! let filter = minibpf::filter::Filter::load(OBJECT, "http")?;
//! let mut consumer = Consumer::new(filter.maps())?;
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let mut client = TcpStream::connect(listener.local_addr()?)?;
//! # let server = listener.accept()?.0;
//! filter.program().attach(&server)?;
//! # client.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
//! // Then, whenever poll(2) or epoll(7) says that `consumer` is readable:
//! let read = consumer.consume(1000, |event| match event {
//!     Event::Record(record) => println!("{}: {:?}", record.map.name(), record.bytes),
//!     Event::Lost(lost) => println!("{}: {} lost", lost.map.name(), lost.count),
//! });
//! assert_eq!(read, 1, "fewer than 1000: there were no more");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing is copied: the bytes of an event lie in the memory that the kernel has written, until the closure returns. Only a perf
//! sample that goes over the end of its ring is put together first.

pub mod perf;
pub mod ringbuf;
mod types;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use thiserror::Error;

use crate::kernel::Map;
use crate::sys::SysError;
use crate::sys::perf_event::online_cpus;
use crate::target::page_size;

use perf::CpuBuffer;
use ringbuf::RingBuffer;

pub use types::{EventTypes, Typed, event_type};

/// Something that came out of a map.
#[derive(Debug)]
pub enum Event<'a> {
    /// A program has reported this.
    Record(Record<'a>),
    /// Programs have reported more than there was room for.
    Lost(Lost<'a>),
}

/// What a program has reported.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Through which map.
    pub map: &'a Map,
    /// On which CPU; a ring buffer does not tell.
    pub cpu: Option<u32>,
    /// When: nanoseconds of `CLOCK_MONOTONIC`; a ring buffer does not tell.
    pub time: Option<u64>,
    /// What, in place. Of a perf event array up to seven bytes at the end may mean nothing: see [`perf`].
    pub bytes: &'a [u8],
}

/// Events that are gone.
#[derive(Debug, Clone, Copy)]
pub struct Lost<'a> {
    /// Of which map.
    pub map: &'a Map,
    /// On which CPU, where each has its own ring.
    pub cpu: Option<u32>,
    /// How many. A header that cannot be true counts as one, and what followed it is passed over.
    pub count: u64,
}

/// A map whose events cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("reading the events of map `{map}`: {source}")]
pub struct EventsError {
    /// Which map.
    pub map: String,
    /// The call that failed.
    pub source: SysError,
}

/// A perf event in its slot.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// The perf event array.
    pub map: &'a Map,
    /// The CPU, which is also the slot's number.
    pub cpu: u32,
    /// The event.
    pub event: BorrowedFd<'a>,
}

/// Pages of each CPU's perf buffer where nothing else is said: 256 KiB, as long as pages have 4 KiB.
pub const PERF_PAGES: usize = 64;

/// Records that one ring may hand out before it is another's turn.
const TURN: usize = 128;

/// Reads the events of any number of maps.
///
/// Its descriptor is readable when one of them may have something. That is an advice: of a perf event array it is told
/// only once, so [`Consumer::consume`] is to be called until it returns less than its limit before one waits.
#[derive(Debug)]
pub struct Consumer<'map> {
    epoll: Epoll,
    sources: Vec<Source<'map>>,
    /// Whose turn it is.
    turn: usize,
}

impl AsFd for Consumer<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

/// For what waits by number, as tokio's `AsyncFd` does.
impl AsRawFd for Consumer<'_> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// Whether the map is one that programs report through: a ring buffer or a perf event array.
pub fn has_events(map_type: u32) -> bool {
    matches!(map_type, ringbuf::MAP_TYPE | perf::MAP_TYPE)
}

impl<'map> Consumer<'map> {
    /// Reads those of the maps that are ring buffers and perf event arrays. To lose nothing, make it before a program is attached:
    /// a perf event array has room for nothing before. Each map should have one reader only.
    ///
    /// # Errors
    ///
    /// - `EACCES`, `EPERM`: perf events of all processes take `CAP_PERFMON` (5.8; before, `CAP_SYS_ADMIN`), or a
    ///   `kernel.perf_event_paranoid` that is not above 0.
    /// - `EOPNOTSUPP`: a ring buffer whose new records overwrite old ones (`BPF_F_RB_OVERWRITE`, 6.19).
    /// - `EMFILE`: a perf event array takes a descriptor for each CPU.
    pub fn new(maps: impl Iterator<Item = &'map Map>) -> Result<Self, EventsError> {
        Self::with_perf_pages(maps, PERF_PAGES)
    }

    /// As [`Consumer::new`], with perf buffers of so many pages for each CPU: a power of two.
    ///
    /// # Errors
    ///
    /// As [`Consumer::new`]; `EINVAL`: `pages` is not a power of two.
    pub fn with_perf_pages(maps: impl Iterator<Item = &'map Map>, pages: usize) -> Result<Self, EventsError> {
        let page = page_size().unwrap_or(4096) as usize;
        let mut sources = Vec::new();
        for map in maps {
            let opened = match map.spec().attr.map_type {
                ringbuf::MAP_TYPE => RingBuffer::new(map, page).map(|ring| sources.push(Source::Ring(ring))),
                perf::MAP_TYPE => open_cpus(map, page, pages).map(|cpus| sources.extend(cpus)),
                _ => Ok(()),
            };
            opened.map_err(|source| EventsError { map: map.name().to_owned(), source })?;
        }
        let of_first = sources.first().map_or_else(String::new, |source| source.map().name().to_owned());
        let failed = |call| {
            let map = of_first.clone();
            move |errno| EventsError { map, source: SysError { call, errno } }
        };
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(failed("epoll_create1"))?;
        for source in &sources {
            epoll.add(source, EpollEvent::new(EpollFlags::EPOLLIN, 0)).map_err(failed("epoll_ctl"))?;
        }
        Ok(Self { epoll, sources, turn: 0 })
    }

    /// Whether there is anything to read from.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Hands out events, up to `limit` records, and returns how many records there were. It never waits. Fewer than `limit` means
    /// that every ring was found empty. Rings take turns, so that one that is always full does not silence the others; the order
    /// of events is kept within a ring, not between rings.
    pub fn consume(&mut self, limit: usize, mut each: impl FnMut(Event<'_>)) -> usize {
        let mut taken = 0;
        let mut idle = 0;
        while idle < self.sources.len() && taken < limit {
            let Some(source) = self.sources.get_mut(self.turn) else { break };
            let before = source.tail();
            taken += source.take(TURN.min(limit - taken), &mut each);
            // Discarded records and news of loss are progress, too.
            idle = if source.tail() == before { idle + 1 } else { 0 };
            self.turn = (self.turn + 1) % self.sources.len();
        }
        taken
    }

    /// Hands out what is there now, up to `limit` records, for the end: when no program writes any more, this is everything. Even when
    /// one does, it ends. Then it says what was lost and could not be said before (see [`perf`]). Returns how many records there were.
    pub fn drain(&mut self, limit: usize, mut each: impl FnMut(Event<'_>)) -> usize {
        let mut taken = 0;
        for source in &mut self.sources {
            let end = source.head();
            while source.tail() < end && taken < limit {
                let before = source.tail();
                taken += source.take(TURN.min(limit - taken), &mut each);
                if source.tail() == before {
                    break;
                }
            }
            if let Some(lost) = source.lost_since() {
                each(Event::Lost(lost));
            }
        }
        taken
    }

    /// How often each ring buffer was found so full that the longest record that was read from it would have been refused. Where it
    /// is 0, no record up to that length was: see [`ringbuf`].
    pub fn found_full(&self) -> impl Iterator<Item = (&'map Map, u64)> {
        self.sources.iter().filter_map(|source| match source {
            Source::Ring(ring) => Some((ring.map, ring.full)),
            Source::Cpu(_) => None,
        })
    }

    /// The perf events that were opened, in the order in which they were put into their slots.
    pub fn slots(&self) -> impl Iterator<Item = Slot<'_>> {
        self.sources.iter().filter_map(|source| match source {
            Source::Ring(_) => None,
            Source::Cpu(CpuBuffer { map, cpu, event, .. }) => Some(Slot { map, cpu: *cpu, event: event.as_fd() }),
        })
    }
}

/// The events of all CPUs that are online, as far as the map has slots for them. One that goes online later has none.
fn open_cpus(map: &Map, page: usize, pages: usize) -> Result<Vec<Source<'_>>, SysError> {
    let cpus = online_cpus()?.into_iter().filter(|cpu| *cpu < map.spec().attr.max_entries);
    let opened = cpus.map(|cpu| CpuBuffer::open(map, cpu, page, pages));
    opened.filter_map(Result::transpose).map(|buffer| buffer.map(Source::Cpu)).collect()
}

/// One ring.
#[derive(Debug)]
enum Source<'map> {
    Ring(RingBuffer<'map>),
    Cpu(CpuBuffer<'map>),
}

impl AsFd for Source<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Ring(ring) => ring.map.as_fd(),
            Self::Cpu(cpu) => cpu.event.as_fd(),
        }
    }
}

impl<'map> Source<'map> {
    fn map(&self) -> &'map Map {
        match self {
            Self::Ring(ring) => ring.map,
            Self::Cpu(cpu) => cpu.map,
        }
    }

    fn take(&mut self, limit: usize, each: &mut impl FnMut(Event<'_>)) -> usize {
        match self {
            Self::Ring(ring) => ring.take(limit, each),
            Self::Cpu(cpu) => cpu.take(limit, each),
        }
    }

    /// How far the kernel has written.
    fn head(&self) -> u64 {
        match self {
            Self::Ring(ring) => ring.head(),
            Self::Cpu(cpu) => cpu.head(),
        }
    }

    /// How far we have read.
    fn tail(&self) -> u64 {
        match self {
            Self::Ring(ring) => ring.tail(),
            Self::Cpu(cpu) => cpu.tail(),
        }
    }

    fn lost_since(&mut self) -> Option<Lost<'map>> {
        match self {
            Self::Ring(_) => None,
            Self::Cpu(cpu) => cpu.lost_since(),
        }
    }
}
