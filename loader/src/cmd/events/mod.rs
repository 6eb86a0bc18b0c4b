//! What a filter reports through its ring buffers and perf event arrays, as it comes.

mod print;
pub(crate) mod types;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use minibpf::explain::{Call, Fd, Field};
use minibpf::kernel::{Kernel, Map};
use minibpf::observe::events::{Consumer, EventTypes, EventsError, Slot, has_events};
use minibpf::sys::attr::MapElemAttr;
use nix::errno::Errno;

use self::print::Printer;
use super::failure::{Exit, Failure};
use super::output::{Lines, Output};
use super::trace::Tracer;

/// Events that are taken before anything else gets its turn, and that are written together.
const BURST: usize = 1024;

/// The reader of a load's events, and what it has seen.
pub(crate) struct Events<'a> {
    output: &'a Output,
    consumer: Option<Consumer<'a>>,
    printer: Printer<'a>,
    /// Whether it was said that a ring buffer was full.
    said_full: bool,
}

/// What came, and what did not.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    pub(crate) events: u64,
    /// By map; what perf event arrays have counted.
    pub(crate) lost: Vec<(String, u64)>,
    /// By ring buffer: how often it was found full.
    pub(crate) full: Vec<(String, u64)>,
}

impl Seen {
    pub(crate) fn lost_in_all(&self) -> u64 {
        self.lost.iter().map(|(_, count)| count).sum()
    }

    pub(crate) fn full_in_all(&self) -> u64 {
        self.full.iter().map(|(_, count)| count).sum()
    }
}

impl<'a> Events<'a> {
    /// Of no maps.
    pub(crate) fn none(output: &'a Output) -> Self {
        Self {
            output,
            consumer: None,
            printer: Printer::new(Lines::of_narration(output), EventTypes::new(None)),
            said_full: false,
        }
    }

    /// Of the maps of a load. It is made before the program is attached: before, a perf event array has room for nothing.
    pub(crate) fn of(
        kernel: &'a Kernel,
        output: &'a Output,
        tracer: &Tracer<'_>,
        types: EventTypes<'a>,
    ) -> Result<Self, Failure> {
        let consumer = open(kernel, tracer)?;
        Ok(Self { output, consumer, printer: Printer::new(Lines::of_narration(output), types), said_full: false })
    }

    /// Of one map, whoever has made it; its events are data.
    pub(crate) fn of_map(map: &'a Map, output: &'a Output, types: EventTypes<'a>) -> Result<Self, Failure> {
        let consumer = Some(Consumer::new(std::iter::once(map)).map_err(failure)?);
        Ok(Self { output, consumer, printer: Printer::new(Lines::new(output), types), said_full: false })
    }

    /// What is readable when there may be an event.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.consumer.as_ref().map(AsFd::as_fd)
    }

    /// Whether the filter can report anything.
    pub(crate) fn is_watched(&self) -> bool {
        self.consumer.is_some()
    }

    /// Events so far.
    pub(crate) fn count(&self) -> u64 {
        self.printer.count
    }

    /// Prints a burst of events, but not more than `limit` in all. Returns whether there may be more already.
    pub(crate) fn take(&mut self, limit: Option<u64>) -> Result<bool, Failure> {
        let burst = self.left(limit).min(BURST);
        let Some(consumer) = &mut self.consumer else { return Ok(false) };
        let taken = consumer.consume(burst, |event| self.printer.take(&event));
        self.flush()?;
        Ok(taken == burst)
    }

    /// After the filter was taken off: prints what is left, but not more than `limit` events in all.
    pub(crate) fn drain(&mut self, limit: Option<u64>) -> Result<Seen, Failure> {
        let (left, printer) = (self.left(limit), &mut self.printer);
        let mut written = Ok(());
        if let Some(consumer) = &mut self.consumer {
            consumer.drain(left, |event| {
                printer.take(&event);
                if written.is_ok() {
                    written = printer.lines.write_if_enough();
                }
            });
        }
        written?;
        self.flush()?;
        Ok(Seen { events: self.printer.count, lost: std::mem::take(&mut self.printer.lost), full: self.full() })
    }

    fn left(&self, limit: Option<u64>) -> usize {
        limit.map_or(usize::MAX, |limit| usize::try_from(limit.saturating_sub(self.count())).unwrap_or(usize::MAX))
    }

    fn full(&self) -> Vec<(String, u64)> {
        let found = self.consumer.iter().flat_map(Consumer::found_full).filter(|(_, times)| *times > 0);
        found.map(|(map, times)| (map.name().to_owned(), times)).collect()
    }

    /// Writes what is pending; then what must be said once.
    fn flush(&mut self) -> Result<(), Failure> {
        self.printer.lines.flush()?;
        if let Some((map, count)) = self.printer.first_loss.take() {
            self.output.warn(
                "lost",
                format_args!(
                    "map `{map}`: {count} events are lost: they come faster than they are read; the summary has the number"
                ),
            )?;
        }
        if self.said_full {
            return Ok(());
        }
        if let Some((map, _)) = self.full().first() {
            self.said_full = true;
            self.output.warn(
                "full",
                format_args!("ring buffer `{map}` is full: events may be lost, and the kernel does not count them"),
            )?;
        }
        Ok(())
    }
}

/// The reading end of all that a load's maps report; `None` where none can.
pub(crate) fn open<'a>(kernel: &'a Kernel, tracer: &Tracer<'_>) -> Result<Option<Consumer<'a>>, Failure> {
    let maps: Vec<&Map> = kernel.maps().map(|(_, map)| map).filter(|map| is_read(map)).collect();
    if maps.is_empty() {
        return Ok(None);
    }
    let opened = Consumer::new(maps.into_iter()).map_err(failure)?;
    opened.slots().try_for_each(|slot| trace(tracer, slot))?;
    Ok(Some(opened))
}

fn is_read(map: &Map) -> bool {
    has_events(map.spec().attr.map_type)
}

/// Why events cannot be read.
fn failure(error: EventsError) -> Failure {
    match error.source.errno {
        Errno::EACCES | Errno::EPERM if error.source.call == "perf_event_open" => Failure::new(Exit::Privileges, error)
            .hint("a perf event array is read with CAP_PERFMON, or where kernel.perf_event_paranoid is 0 or less; minibpf doctor says more"),
        Errno::EPERM | Errno::EAGAIN if error.source.call == "mmap" => Failure::new(Exit::Other, error)
            .hint("RLIMIT_MEMLOCK (ulimit -l) and kernel.perf_event_mlock_kb limit how much a buffer may lock"),
        Errno::EMFILE => Failure::new(Exit::Other, error).hint("a perf event array takes a descriptor for each CPU: ulimit -n"),
        _ => Failure::new(Exit::Other, error),
    }
}

/// The calls that have put a perf event into its slot.
fn trace(tracer: &Tracer<'_>, slot: Slot<'_>) -> Result<(), Failure> {
    let event = slot.event.as_raw_fd();
    let constant = |text: &str| Field::Constant(text.to_owned());
    let number = |number: i32| Field::Constant(number.to_string());
    let open = || Call {
        syscall: "perf_event_open",
        command: None,
        fields: vec![
            ("attr", constant("{type=PERF_TYPE_SOFTWARE, config=PERF_COUNT_SW_BPF_OUTPUT, ...}")),
            ("pid", number(-1)),
            ("cpu", Field::Number(slot.cpu.into())),
            ("group_fd", number(-1)),
            ("flags", constant("PERF_FLAG_FD_CLOEXEC")),
        ],
        size: None,
        why: format!("where programs on CPU {} write to", slot.cpu),
    };
    tracer.call(open, Ok(event))?;
    let update = || Call {
        syscall: "bpf",
        command: Some("BPF_MAP_UPDATE_ELEM"),
        fields: vec![
            ("map_fd", Field::Fd(Fd::Number(slot.map.as_fd().as_raw_fd()))),
            ("key", Field::Bytes(slot.cpu.to_le_bytes().to_vec())),
            ("value", Field::Bytes(event.to_le_bytes().to_vec())),
            ("flags", constant("BPF_ANY")),
        ],
        size: Some(size_of::<MapElemAttr>()),
        why: "a perf event array takes a perf event's descriptor, in the slot of its CPU".to_owned(),
    };
    tracer.call(update, Ok(0))
}
