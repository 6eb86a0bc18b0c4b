//! `minibpf sockets`: whose sockets there are, and which of them have a filter.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use minibpf::hook::foreign;
use minibpf::observe::sockets::{Listed, Tables, descriptors};
use minibpf::observe::stats::SocketStats;
use minibpf::sys::filter::Present;
use minibpf::sys::socket::is_locked;
use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use super::target::owner::{command, proc_failure};

/// List sockets: their owner, addresses, filter, and the packets that they dropped.
///
/// Whether a filter is attached the kernel tells only of a socket that one holds, so each is duplicated for a moment
/// (`pidfd_getfd`); where that is not allowed, `?` stands. With -v also the bytes that wait to be read, how many may, and the segments that
/// TCP had to send again.
#[derive(Args)]
pub(crate) struct Sockets {
    /// Those of this process only
    #[arg(value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pid: Option<i32>,
}

/// A socket of a process.
struct Found<'a> {
    pid: i32,
    command: &'a str,
    fd: i32,
    listed: Option<&'a Listed>,
    look: Look,
}

/// What is seen by holding the socket for a moment.
#[derive(Default)]
struct Look {
    present: Option<Present>,
    locked: Option<bool>,
    stats: SocketStats,
}

impl Look {
    fn at(pid: i32, fd: i32) -> Self {
        let Ok(socket) = foreign::duplicate(pid, fd) else { return Self::default() };
        let mut stats = SocketStats::default();
        stats.look(&socket, false);
        Self { present: foreign::present(&socket).ok(), locked: is_locked(&socket).ok(), stats }
    }

    fn filter(&self) -> String {
        let locked = if self.locked == Some(true) { ", locked" } else { "" };
        match &self.present {
            None => "?".to_owned(),
            Some(Present::None) => "-".to_owned(),
            Some(Present::Classic(insns)) => format!("classic, {} insns{locked}", insns.len()),
            Some(Present::Ebpf) => format!("eBPF{locked}"),
        }
    }
}

impl Sockets {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        output.text(format_args!(
            "{:>7}  {:<15}  {:>4}  {:<8}  {:<22}  {:<22}  {:<18}  {:>5}{}",
            "PID",
            "COMMAND",
            "FD",
            "KIND",
            "LOCAL",
            "PEER",
            "FILTER",
            "DROPS",
            if output.is_verbose() { "   QUEUED      ROOM  AGAIN" } else { "" }
        ))?;
        // Processes of one network namespace share its tables.
        let mut namespaces: HashMap<PathBuf, Tables> = HashMap::new();
        let pids = self.pid.map_or_else(processes, |pid| vec![pid]);
        for pid in pids {
            let sockets = match descriptors(pid) {
                Ok(sockets) => sockets,
                Err(error) if self.pid.is_some() => return Err(proc_failure(pid, &error)),
                // Another user's, or gone meanwhile.
                Err(_) => continue,
            };
            let namespace = std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap_or_default();
            let tables = namespaces.entry(namespace).or_insert_with(|| Tables::of(pid));
            let command = command(pid);
            for (fd, inode) in sockets {
                let look = Look::at(pid, fd);
                print(output, &Found { pid, command: &command, fd, listed: tables.get(inode), look })?;
            }
        }
        Ok(())
    }
}

/// Every process, in order.
fn processes() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<i32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

fn print(output: &Output, found: &Found<'_>) -> Result<(), Failure> {
    let Found { pid, command, fd, listed, look } = found;
    let kind = listed.map_or("?", |listed| listed.kind);
    let place = listed.map_or("", |listed| listed.place.as_str());
    let is_listening = listed.is_some_and(|listed| listed.is_listening);
    let peer = listed.and_then(|listed| listed.peer).map(|peer| peer.to_string());
    let shown_peer = peer.as_deref().unwrap_or(if is_listening { "(listening)" } else { "" });
    let memory = look.stats.memory;
    let dropped = match look.stats.drops {
        Some(drops) => drops.to_string(),
        None if memory.is_some() => "-".to_owned(),
        None => "?".to_owned(),
    };
    let again = look.stats.tcp.map(|tcp| tcp.total_retrans());
    let known = |number: Option<u32>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let more = if output.is_verbose() {
        let again = again.map_or_else(|| "-".to_owned(), |again| again.to_string());
        format!("  {:>7}  {:>8}  {again:>5}", known(memory.map(|m| m.rmem_alloc)), known(memory.map(|m| m.rcvbuf)))
    } else {
        String::new()
    };
    output.text(format_args!(
        "{pid:>7}  {command:<15}  {fd:>4}  {kind:<8}  {place:<22}  {shown_peer:<22}  {:<18}  {:>5}{more}",
        look.filter(),
        dropped,
    ))?;
    let (filter, insns) = match &look.present {
        None => (None, None),
        Some(Present::None) => (Some("none"), None),
        Some(Present::Classic(insns)) => (Some("classic"), Some(insns.len())),
        Some(Present::Ebpf) => (Some("ebpf"), None),
    };
    output.data(&json!({
        "kind": "socket", "pid": pid, "command": command, "fd": fd, "type": kind, "local": place, "peer": peer,
        "listening": is_listening, "filter": filter, "classic_insns": insns, "locked": look.locked, "drops": look.stats.drops,
        "bytes_queued": memory.map(|m| m.rmem_alloc), "rcvbuf": memory.map(|m| m.rcvbuf), "retransmitted": again,
    }))
}
