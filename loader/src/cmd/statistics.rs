//! `--watch` of a program: how often it ran since the last look, and what its socket has counted.

use std::fmt;
use std::time::Instant;

use minibpf::kernel::{Program, ProgramInfo};
use minibpf::observe::stats::SocketStats;
use serde_json::{Value as Json, json};

use super::failure::{Exit, Failure};

/// A program that is looked at again and again.
pub(crate) struct Statistics<'a> {
    program: &'a Program,
    started: Instant,
    before: ProgramInfo,
}

/// What one look has shown.
pub(crate) struct Round {
    seconds: f64,
    info: ProgramInfo,
    /// Since the last look.
    runs: u64,
    nanoseconds: u64,
    misses: u64,
    socket: Option<SocketStats>,
}

impl<'a> Statistics<'a> {
    pub(crate) fn new(program: &'a Program) -> Result<Self, Failure> {
        Ok(Self { program, started: Instant::now(), before: ask(program)? })
    }

    /// When the first look was.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Looks again; `socket` is what the program's socket says.
    #[allow(clippy::large_types_passed_by_value, reason = "it is moved into the round that comes back")]
    pub(crate) fn look(&mut self, socket: Option<SocketStats>) -> Result<Round, Failure> {
        let (info, before) = (ask(self.program)?, self.before);
        self.before = info;
        Ok(Round {
            seconds: self.started.elapsed().as_secs_f64(),
            info,
            runs: info.run_count.saturating_sub(before.run_count),
            nanoseconds: info.run_time_ns.saturating_sub(before.run_time_ns),
            misses: info.recursion_misses.saturating_sub(before.recursion_misses),
            socket,
        })
    }
}

fn ask(program: &Program) -> Result<ProgramInfo, Failure> {
    program.info().map_err(|error| Failure::new(Exit::Other, error))
}

impl Round {
    fn mean(&self) -> Option<u64> {
        self.nanoseconds.checked_div(self.runs)
    }

    pub(crate) fn json(&self) -> Json {
        let mut line = json!({
            "kind": "stats", "t": self.seconds, "runs": self.runs, "mean_ns": self.mean(), "run_cnt": self.info.run_count,
            "run_time_ns": self.info.run_time_ns, "recursion_misses": self.info.recursion_misses,
        });
        if let (Some(socket), Some(fields)) = (&self.socket, line.as_object_mut()) {
            fields.insert("socket".to_owned(), socket_json(socket));
        }
        line
    }
}

/// What a socket has counted since it was opened; its queues as they are now, in bytes.
pub(crate) fn socket_json(socket: &SocketStats) -> Json {
    let SocketStats { memory, drops, tcp, packets } = socket;
    json!({
        "drops": drops, "bytes_queued": memory.map(|m| m.rmem_alloc), "rcvbuf": memory.map(|m| m.rcvbuf),
        "bytes_unsent": memory.map(|m| m.wmem_queued), "sndbuf": memory.map(|m| m.sndbuf),
        "segs_in": tcp.map(|tcp| tcp.segs_in), "segs_out": tcp.map(|tcp| tcp.segs_out),
        "retransmitted": tcp.map(|tcp| tcp.total_retrans()), "out_of_order": tcp.map(|tcp| tcp.rcv_ooopack),
        "packets": packets.map(|p| p.packets), "packets_dropped": packets.map(|p| p.drops),
    })
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:6.1} s  ran {} times", self.seconds, self.runs)?;
        if let Some(mean) = self.mean() {
            write!(f, ", {mean} ns each")?;
        }
        if self.misses > 0 {
            write!(f, ", {} recursions refused", self.misses)?;
        }
        self.socket.as_ref().map_or(Ok(()), |socket| write!(f, "; in all {}", SocketText(socket)))
    }
}

/// What a socket has counted, in words.
pub(crate) struct SocketText<'a>(pub(crate) &'a SocketStats);

impl fmt::Display for SocketText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SocketStats { memory, drops, tcp, packets } = self.0;
        let mut parts = Vec::new();
        if let Some(drops) = drops {
            parts.push(format!("{drops} packets dropped"));
        }
        if let Some(memory) = memory {
            parts.push(format!("{} of {} bytes queued", memory.rmem_alloc, memory.rcvbuf));
        }
        if let Some(tcp) = tcp {
            parts.push(format!("{} segments sent again, {} came out of order", tcp.total_retrans(), tcp.rcv_ooopack));
        }
        if let Some(packets) = packets {
            parts.push(format!("{} packets kept by the filter, {} found no room", packets.packets, packets.drops));
        }
        f.write_str(&parts.join(", "))
    }
}
