//! `--follow`: the events of a map that somebody else has made.

use std::os::fd::AsFd;
use std::time::Instant;

use minibpf::btf::Btf;
use minibpf::kernel::{Map, Program};
use minibpf::observe::events::EventTypes;
use minibpf::observe::fdinfo;
use minibpf::sys::id::next_prog;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::json;

use crate::cmd::events::Events;
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;
use crate::cmd::signals::Signals;
use crate::cmd::target::owner::command;

/// How long, how much, and as what.
pub(super) struct Limits<'a> {
    pub(super) until: Option<Instant>,
    pub(super) count: Option<u64>,
    pub(super) event_type: Option<&'a str>,
}

/// Reads events until a limit is reached or a signal comes. What is read is gone for any other reader.
pub(super) fn follow(output: &Output, map: &Map, limits: &Limits<'_>, signals: &Signals) -> Result<(), Failure> {
    refuse_second_reader(map)?;
    let bytes = types_of_writer(map)?.unwrap_or_default();
    let btf = Btf::parse(&bytes).ok();
    let mut types = EventTypes::new(btf.as_ref());
    // `load` wants MAP=STRUCT, for it may have several.
    let asked = limits
        .event_type
        .map(|name| name.strip_prefix(map.name()).and_then(|rest| rest.strip_prefix('=')).unwrap_or(name));
    if let Some(name) = asked.filter(|name| !types.choose(map.name(), name)) {
        let names = types.names().join(", ");
        let why = if names.is_empty() {
            "no program that uses the map has types".to_owned()
        } else {
            format!("there are: {names}")
        };
        return Err(Failure::new(Exit::Usage, format!("--event-type {name}: no such struct; {why}")));
    }
    let mut events = Events::of_map(map, output, types)?;
    let over = |events: &Events<'_>| {
        signals.came()
            || limits.count.is_some_and(|count| events.count() >= count)
            || limits.until.is_some_and(|until| Instant::now() >= until)
    };
    while !over(&events) {
        if !events.take(limits.count)? {
            wait(&events, limits.until, signals)?;
        }
    }
    let seen = events.drain(limits.count)?;
    let events = if seen.events == 1 { "event" } else { "events" };
    output.say(format_args!("{} {events}, {} lost", seen.events, seen.lost_in_all()));
    output.data(&json!({ "kind": "summary", "events": seen.events, "events_lost": seen.lost_in_all(), "ring_full": seen.full_in_all() }))
}

/// A ring has one reader. A second one gives room back that the first still looks at; and of a perf event array it takes the slots, which are empty
/// when it goes: the first would hear nothing any more.
fn refuse_second_reader(map: &Map) -> Result<(), Failure> {
    let id = map.info().map_err(|error| Failure::new(Exit::Other, error))?.id;
    let holders = fdinfo::holders(id);
    let Some(pid) = holders.first() else { return Ok(()) };
    let name = command(*pid);
    let what = format!(
        "map `{}`: process {pid} ({name}) holds it and may read its events; a second reader would spoil both",
        map.name()
    );
    Err(Failure::new(Exit::Other, what).hint("--follow is for the events of a filter that was left on a socket, whose map is pinned; minibpf load shows its own"))
}

fn wait(events: &Events<'_>, until: Option<Instant>, signals: &Signals) -> Result<(), Failure> {
    let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    fds.extend(events.fd().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
    let left = until.map(|until| until.saturating_duration_since(Instant::now()).as_millis() + 1);
    let timeout = left.map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
    match poll(&mut fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(Failure::new(Exit::Other, format!("poll: {}", errno.desc()))),
    }
}

/// The types of the first program that uses the map: the map itself has none. Without `CAP_SYS_ADMIN` nobody's are found.
fn types_of_writer(map: &Map) -> Result<Option<Vec<u8>>, Failure> {
    let failed = |error| Failure::new(Exit::Other, error);
    let (wanted, mut id) = (map.info().map_err(failed)?.id, 0);
    while let Ok(Some(next)) = next_prog(id) {
        id = next;
        // One that goes away meanwhile is not the one that is meant.
        let Ok(program) = Program::of_any_type(id) else { continue };
        if program.xlated().is_ok_and(|xlated| xlated.map_ids.contains(&wanted))
            && let Some(types) = program.btf().map_err(failed)?
        {
            return Ok(Some(types));
        }
    }
    Ok(None)
}
