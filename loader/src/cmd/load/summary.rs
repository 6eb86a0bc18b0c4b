//! What is left to say when a load ends.

use std::os::fd::{AsFd, AsRawFd};

use minibpf::btf::Btf;
use minibpf::btf::value::hex;
use minibpf::explain::{Fd, map_lookup, map_lookup_batch, map_next_key};
use minibpf::kernel::{Map, ProgramInfo};
use minibpf::observe::maps::{self, Asked};
use minibpf::observe::stats::mean_ns;
use minibpf::privileges::CAP_SYS_ADMIN;
use nix::errno::Errno;
use serde_json::json;

use super::pump::Traffic;
use super::session::Session;
use crate::cmd::contents::Holding;
use crate::cmd::events::Seen;
use crate::cmd::failure::Failure;
use crate::cmd::show::{self, Shown};
use crate::cmd::statistics::{SocketText, socket_json};
use crate::cmd::stats::Stats;

impl Session<'_> {
    /// Says what there is to say at the end. How large the program is, the kernel tells only with `CAP_BPF`: that was asked before.
    pub(super) fn summary(&self, shown: &Shown, traffic: &Traffic, seen: &Seen, stats: &Stats) -> Result<(), Failure> {
        // The filter has done its work: what cannot be asked any more is said to be missing, and fails nothing.
        let asked = self.asked(show::answer(self.tracer, self.loaded, "how often it ran")?)?;
        let counted = stats.is_on() && asked.is_some();
        let info = asked.unwrap_or(shown.info);
        // Another process may have switched them on too; what it counted may have begun anywhere.
        let mean = mean_ns(&info).filter(|_| counted);
        let what = if traffic.stays { "ended, and the filter stays" } else { "detached" };
        self.output.say(format_args!("{what}: {}", traffic.ended));
        self.say_program(&info, &shown.info, counted, mean, stats);
        self.say_traffic(traffic, seen);
        let btf = show::uploaded_btf(self.plan);
        for (id, map) in self.kernel.maps() {
            self.print_map(map, shown.map_id(id), btf.as_ref())?;
        }
        let Traffic { sent, received, datagrams, drops, members, .. } = traffic;
        self.output.data(&json!({
            "kind": "summary", "name": self.program.name, "id": info.id, "tag": hex(&info.tag), "insns": self.program.insns.len(),
            "bytes_xlated": shown.info.bytes_xlated, "bytes_jited": shown.info.bytes_jited, "verified_insns": info.verified_insns,
            "ended": traffic.ended, "detached": !traffic.stays,
            "run_cnt": counted.then_some(info.run_count), "run_time_ns": counted.then_some(info.run_time_ns),
            "mean_ns": mean, "run_cnt_needs": stats.is_refused().then_some(CAP_SYS_ADMIN.name),
            "bytes_sent": sent, "bytes_received": received,
            "datagrams": self.opened.flow.is_datagrams().then_some(datagrams), "drops": drops,
            "events": seen.events, "events_lost": seen.lost_in_all(), "ring_full": seen.full_in_all(),
            "socket": socket_json(&traffic.socket), "members": (!members.is_empty()).then_some(members),
        }))
    }

    /// What the program was, and how often it ran; `shown` is what the kernel said of it when it was loaded.
    fn say_program(&self, info: &ProgramInfo, shown: &ProgramInfo, counted: bool, mean: Option<u64>, stats: &Stats) {
        self.output.say(format_args!(
            "{}: program id {}, tag {}; {} insns given, {} after the verifier, which walked {}",
            self.program.name,
            info.id,
            hex(&info.tag),
            self.program.insns.len(),
            shown.bytes_xlated / 8,
            info.verified_insns
        ));
        match mean {
            Some(mean) => self.output.say(format_args!(
                "it ran {} times, {mean} ns each in the mean (the kernel counted every program of the machine meanwhile)",
                info.run_count
            )),
            None if counted => self.output.say("it never ran"),
            None if stats.is_on() => {}
            None if stats.is_refused() => self.output.say(format_args!("run count: needs {CAP_SYS_ADMIN}")),
            None => self.output.say("how often it ran is not known: run statistics were off"),
        }
    }

    /// What has gone through the socket, and what the filter has reported.
    fn say_traffic(&self, traffic: &Traffic, seen: &Seen) {
        let Traffic { sent, received, datagrams, drops, members, .. } = traffic;
        for (number, count) in members.iter().enumerate() {
            self.output.say(format_args!("socket {number} of the group got {count}"));
        }
        let pieces = if self.opened.flow.is_datagrams() { format!(" in {datagrams} datagrams") } else { String::new() };
        let dropped = drops.map_or_else(String::new, |drops| format!(", {drops} packets dropped by the socket"));
        let (events, lost) = (seen.events, seen.lost_in_all());
        let and_lost = if lost == 0 { String::new() } else { format!(", {lost} events lost") };
        self.output.say(format_args!(
            "{sent} bytes sent, {received} bytes received{pieces}{dropped}, {events} events{and_lost}"
        ));
        if traffic.socket.tcp.is_some_and(|tcp| tcp.total_retrans() + tcp.rcv_ooopack > 0)
            || traffic.socket.packets.is_some()
        {
            self.output.say(format_args!("the socket: {}", SocketText(&traffic.socket)));
        }
        for (map, times) in &seen.full {
            self.output.say(format_args!("ring buffer {map} was full {times} times when looked at: events may be lost; the kernel does not count them"));
        }
    }

    /// What was asked, if there is an answer; without one a warning says why.
    fn asked<T>(&self, answer: Result<T, String>) -> Result<Option<T>, Failure> {
        answer.map_or_else(|why| self.output.warn("missing", why).map(|()| None), |answer| Ok(Some(answer)))
    }

    fn print_map(&self, map: &Map, id: Option<u32>, btf: Option<&Btf<'_>>) -> Result<(), Failure> {
        if !maps::is_walkable(map) {
            return Ok(());
        }
        let Some(holding) = self.asked(self.read(map, btf)?)? else { return Ok(()) };
        for line in holding.lines() {
            self.output.say(line);
        }
        if self.output.json {
            self.output.data(&holding.json(id))?;
        }
        Ok(())
    }

    /// Everything that a map holds, each question traced.
    fn read<'a>(&self, map: &'a Map, btf: Option<&Btf<'a>>) -> Result<Result<Holding<'a>, String>, Failure> {
        let fd = || Fd::Number(map.as_fd().as_raw_fd());
        let answer = |found: bool| if found { Ok(0) } else { Err(Errno::ENOENT) };
        let mut broken = Ok(());
        let holding = Holding::read(map, btf, |asked| {
            let traced = match asked {
                Asked::Batch { from, room, count, errno } => {
                    self.tracer.call(|| map_lookup_batch(fd(), from, room, count), errno.map_or(Ok(0), Err))
                }
                Asked::NextKey(key, found) => self.tracer.call(|| map_next_key(fd(), key), answer(found)),
                Asked::Lookup(key, found) => self.tracer.call(|| map_lookup(fd(), key), answer(found)),
            };
            if broken.is_ok() {
                broken = traced;
            }
        });
        broken?;
        Ok(holding.map_err(|error| format!("reading map `{}`: {error}", map.name())))
    }
}
