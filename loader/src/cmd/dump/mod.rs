//! `minibpf dump`: what is in the kernel, whoever has put it there: a map's contents, a program's instructions.

mod beside;
mod change;
mod changes;
mod entry;
mod follow;
mod map;
mod order;
mod prog;
mod runs;

use std::time::{Duration, Instant};

use clap::Args;
use minibpf::btf::Btf;
use minibpf::observe::events::has_events;
use minibpf::sys::id::Access;

use self::map::{MapDump, types_of};
use self::order::Order;
use super::duration;
use super::failure::{Exit, Failure};
use super::output::Output;
use super::signals::Signals;
use super::what::{Found, What};

/// Show what a map holds, typed by its BTF; or a program as the verifier rewrote it, alone or beside the object that it came from.
///
/// Either may be pinned, or named by its number (bpftool's) or the process that holds it, such as a running `minibpf load`; a map also by its
/// name. Another loader may have made it. Reading changes nothing, but for --follow: an event that is read is gone.
#[derive(Args)]
pub(crate) struct Dump {
    /// A path in a bpffs, map:N, map:NAME, prog:N, pid:PID or pid:PID:NAME
    #[arg(value_name = "WHAT")]
    what: What,
    /// One element, by its key as it is printed; of a data section one variable, by its name
    #[arg(value_name = "KEY", allow_negative_numbers = true, conflicts_with_all = ["watch", "sort", "top", "count_entries"])]
    key: Option<String>,
    /// How many entries there are, and nothing else
    #[arg(long, conflicts_with_all = ["watch", "sort", "top"])]
    count_entries: bool,
    /// Go on, and show what has changed, every so often: 500ms, 10s; of a program how often it ran, and how long
    #[arg(long, value_name = "T", value_parser = duration::parse, conflicts_with_all = ["object", "bytes"])]
    watch: Option<Duration>,
    /// In the order of the keys, of the values (largest first), or of a member of the values
    #[arg(long, value_name = "key|value|value.MEMBER", value_parser = Order::parse)]
    sort: Option<Order>,
    /// Only the first N; without --sort those of the largest values
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    /// Of a ring buffer or perf event array that nobody reads: read its events as they come
    #[arg(long, conflicts_with_all = ["key", "watch", "sort", "top", "count_entries", "object", "bytes"])]
    follow: bool,
    /// With --follow: the events are such structs. Without it the size decides, if only one struct has it
    #[arg(long, value_name = "STRUCT", requires = "follow")]
    event_type: Option<String>,
    /// With --watch: stop after so many rounds; with --follow, after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// With --watch and --follow: stop after this time
    #[arg(long, value_name = "T", value_parser = duration::parse)]
    duration: Option<Duration>,
    #[command(flatten)]
    program: prog::ProgOptions,
}

impl Dump {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        if self.watch.is_none() && !self.follow && (self.count.is_some() || self.duration.is_some()) {
            return Err(Failure::new(Exit::Usage, "--count and --duration go with --watch or --follow"));
        }
        if self.follow {
            return self.follow(output);
        }
        let mut found = self.what.open(Access::Read)?;
        // Of a process's things only the maps are meant, unless one is named.
        if found.len() > 1 {
            found.retain(|found| matches!(found, Found::Map(_)));
        }
        if found.len() > 1 && (self.key.is_some() || self.watch.is_some()) {
            return Err(Failure::new(Exit::Usage, "the process holds several maps: name one with pid:PID:NAME"));
        }
        let are_many = found.len() > 1;
        found.iter().try_for_each(|found| match found {
            Found::Map(_) if self.program.is_given() => {
                Err(Failure::new(Exit::Usage, "that is a map, not a program: --object and --bytes are not for it"))
            }
            Found::Map(map) => {
                let bytes = types_of(output, map)?;
                self.map(&MapDump::new(output, map, Btf::parse(&bytes).ok().as_ref()), are_many)
            }
            Found::Program(_) if self.is_of_maps() => Err(Failure::new(
                Exit::Usage,
                "that is a program, not a map: KEY and the options of maps are not for it",
            )),
            Found::Program(program) => match self.pace() {
                Some(pace) => {
                    prog::head(output, program)?;
                    runs::watch(output, program, &pace, &Signals::catch()?)
                }
                None => prog::run(output, program, &self.program),
            },
        })
    }

    fn follow(&self, output: &Output) -> Result<(), Failure> {
        // Reading moves the reader's position, which lies in the map.
        let map = self.what.only_map(Access::Write)?;
        if !has_events(map.spec().attr.map_type) {
            let why = format!("map `{}` has no events: --follow is for ring buffers and perf event arrays", map.name());
            return Err(Failure::new(Exit::Usage, why).hint("--watch shows what changes in other maps"));
        }
        let until = self.duration.map(|duration| Instant::now() + duration);
        let limits = follow::Limits { until, count: self.count, event_type: self.event_type.as_deref() };
        follow::follow(output, &map, &limits, &Signals::catch()?)
    }

    /// Whether there are options that only a map has an answer to.
    fn is_of_maps(&self) -> bool {
        self.key.is_some() || self.count_entries || self.sort.is_some() || self.top.is_some()
    }

    /// How often to look, if more than once.
    fn pace(&self) -> Option<changes::Pace> {
        let until = self.duration.map(|duration| Instant::now() + duration);
        self.watch.map(|pause| changes::Pace { pause, until, rounds: self.count })
    }

    fn map(&self, dump: &MapDump<'_>, is_one_of_many: bool) -> Result<(), Failure> {
        let order = self.sort.clone().or(self.top.map(|_| Order::default()));
        order.as_ref().map_or(Ok(()), |order| dump.check_order(order))?;
        let top = self.top.map_or(usize::MAX, |top| top as usize);
        match (&self.key, self.pace()) {
            (Some(key), _) => dump.one(key),
            (None, _) if self.count_entries => match dump.check_elements() {
                // Of a process's maps those that have some are counted.
                Err(failure) if is_one_of_many => dump.output.warn("elements", failure.message),
                _ => dump.count(is_one_of_many),
            },
            (None, None) => dump.all(order.as_ref(), top),
            (None, Some(pace)) => dump
                .check_elements()
                .and_then(|()| changes::watch(dump, order.as_ref(), top, &pace, &Signals::catch()?)),
        }
    }
}
