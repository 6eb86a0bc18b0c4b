//! While a socket is watched: standard input to the socket, the socket to standard output, events to whoever watches.
//!
//! One thread waits in poll(2) for whatever comes first. Nothing is read before there is room for it, so a slow reader on
//! one side slows the other side down instead of filling memory.

mod statistics;
mod wait;
mod watch;

use std::path::Path;
use std::time::{Duration, Instant};

use minibpf::observe::stall::StallWatch;
use minibpf::observe::stats::SocketStats;
use minibpf::sys::membarrier::wait_for_programs;
use nix::errno::Errno;
use serde_json::json;
use statistics::Watched;
use wait::Ready;

use super::endpoint::{Endpoint, Received};
use super::sink::Sink;
use crate::cmd::events::{Events, Seen};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;
use crate::cmd::signals::Signals;
use crate::cmd::target::Flow;

/// How often the connection is looked at.
const TICK: Duration = Duration::from_millis(250);
/// What a pipe takes without blocking once poll(2) says it is ready (`PIPE_BUF`).
pub(super) const CHUNK: usize = 4096;
/// More than a datagram can have.
const LARGEST: usize = 64 << 10;
/// Packets that are taken before the other descriptors get their turn.
const BURST: usize = 1024;

/// When to stop.
pub(crate) struct Limits {
    pub(crate) until: Option<Instant>,
    /// Events, or datagrams where there are no events.
    pub(crate) count: Option<u64>,
}

/// What went through.
#[derive(Debug, Default, Clone)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Datagrams, or packets that were read.
    pub(crate) datagrams: u64,
    pub(crate) drops: Option<u32>,
    /// What the socket has counted besides.
    pub(crate) socket: SocketStats,
    /// What each socket of a group got.
    pub(crate) members: Vec<u64>,
    pub(crate) ended: &'static str,
    /// The filter was locked, so it stays on a socket that somebody else has.
    pub(crate) stays: bool,
}

pub(crate) struct Pump<'a> {
    output: &'a Output,
    events: Events<'a>,
    pub(crate) endpoint: Endpoint<'a>,
    /// There may be events, though none are announced.
    more_events: bool,
    limits: Limits,
    sink: Sink,
    traffic: Traffic,
    to_socket: Vec<u8>,
    stdin_open: bool,
    peer_open: bool,
    /// The connection did not end, it broke off.
    is_lost: bool,
    stall: Option<StallWatch>,
    /// What a listener had dropped when it was last without a connection.
    drops_when_idle: Option<u32>,
    watched: Option<Watched<'a>>,
    next_tick: Instant,
    buffer: Vec<u8>,
}

impl<'a> Pump<'a> {
    pub(crate) fn new(
        output: &'a Output,
        events: Events<'a>,
        endpoint: Endpoint<'a>,
        limits: Limits,
        file: Option<&Path>,
    ) -> Result<Self, Failure> {
        let sink = Sink::new(file, output.json)?;
        let now = Instant::now();
        Ok(Self {
            output,
            events,
            more_events: false,
            limits,
            sink,
            traffic: Traffic::default(),
            to_socket: Vec::new(),
            stdin_open: endpoint.flow().carries_streams(),
            endpoint,
            peer_open: true,
            is_lost: false,
            stall: Some(StallWatch::default()),
            buffer: vec![0; LARGEST],
            drops_when_idle: None,
            watched: None,
            next_tick: now,
        })
    }

    /// Runs until the peer closes, a limit is reached or a signal comes.
    pub(crate) fn run(&mut self, signals: &Signals) -> Result<Traffic, Failure> {
        loop {
            let ready = self.wait(signals)?;
            self.more_events = self.events.take(self.limits.count)?;
            if ready.stdin {
                self.read_stdin()?;
            }
            if ready.socket {
                self.write_socket()?;
                self.read_socket()?;
            }
            if ready.sink {
                self.sink.write()?;
            }
            self.tick()?;
            self.show_statistics()?;
            if ready.nothing_left {
                self.next_peer()?;
            }
            if let Some(reason) = self.over(signals, &ready) {
                self.deliver()?;
                self.warn_of_loss()?;
                self.traffic.drops = self.endpoint.drops();
                self.endpoint.look(&mut self.traffic.socket);
                self.traffic.ended = reason;
                self.traffic.members = self.endpoint.counts().to_vec();
                return Ok(self.traffic.clone());
            }
        }
    }

    /// After the filter was taken off: what it had reported to the very end.
    pub(crate) fn last_events(&mut self) -> Result<Seen, Failure> {
        if self.events.is_watched() {
            wait_for_programs();
        }
        self.events.drain(self.limits.count)
    }

    fn over(&self, signals: &Signals, ready: &Ready) -> Option<&'static str> {
        if signals.came() {
            return Some("interrupted");
        }
        if self.is_counted_out() {
            return Some("count reached");
        }
        if self.limits.until.is_some_and(|until| Instant::now() >= until) {
            return Some("duration over");
        }
        let reason = match self.endpoint.flow() {
            Flow::Foreign | Flow::Elsewhere => "socket closed",
            _ if self.is_lost => "connection lost",
            _ => "peer closed",
        };
        (ready.nothing_left && !self.peer_open).then_some(reason)
    }

    fn is_counted_out(&self) -> bool {
        let counted = if self.events.is_watched() { self.events.count() } else { self.traffic.datagrams };
        self.limits.count.is_some_and(|limit| counted >= limit)
    }

    /// Reads from the descriptor itself: what `std::io::Stdin` buffers, poll(2) does not see.
    fn read_stdin(&mut self) -> Result<(), Failure> {
        let mut buffer = [0; CHUNK];
        match nix::unistd::read(std::io::stdin(), &mut buffer) {
            Ok(0) => self.stdin_open = false,
            Ok(count) => self.to_socket.extend(buffer.iter().take(count)),
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(errno) => return Err(Failure::new(Exit::Other, format!("standard input: {}", errno.desc()))),
        }
        self.shut_down_if_done()
    }

    /// When there is no more to send, the peer is told so, and may go on answering.
    fn shut_down_if_done(&mut self) -> Result<(), Failure> {
        if !self.stdin_open && self.to_socket.is_empty() {
            let failed =
                |errno: Errno| format!("telling the peer that no more comes: shutdown: {} ({errno:?})", errno.desc());
            return self.endpoint.end_sending().map_err(|errno| Failure::new(Exit::Socket, failed(errno)));
        }
        Ok(())
    }

    fn write_socket(&mut self) -> Result<(), Failure> {
        if self.to_socket.is_empty() {
            return Ok(());
        }
        match self.endpoint.send(&self.to_socket) {
            Ok(count) => {
                self.traffic.sent += count as u64;
                self.to_socket.drain(..count);
                self.shut_down_if_done()
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(()),
            Err(errno) => self.lost(errno),
        }
    }

    fn read_socket(&mut self) -> Result<(), Failure> {
        // Packets come faster than one a round.
        let rounds = if matches!(self.endpoint.flow(), Flow::Packets | Flow::Group(_)) { BURST } else { 1 };
        for _ in 0..rounds {
            if !self.sink.is_empty() || !self.peer_open || self.is_counted_out() {
                break;
            }
            match self.endpoint.receive(&mut self.buffer) {
                Ok(Received::Bytes(count)) => self.received(count)?,
                Ok(Received::End) => self.peer_open = false,
                Ok(Received::Peer(peer)) => self.accepted(&peer)?,
                Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNABORTED) => break,
                Err(errno) => self.lost(errno)?,
            }
        }
        Ok(())
    }

    fn received(&mut self, count: usize) -> Result<(), Failure> {
        self.traffic.received += count as u64;
        self.traffic.datagrams += u64::from(self.endpoint.flow().is_datagrams());
        match self.endpoint.flow() {
            Flow::Packets | Flow::Foreign | Flow::Elsewhere | Flow::Group(_) => Ok(()),
            _ => self.sink.take(self.buffer.get(..count).unwrap_or_default()),
        }
    }

    fn accepted(&mut self, peer: &str) -> Result<(), Failure> {
        self.output.say(format_args!("accepted {peer}"));
        self.output.data(&json!({ "kind": "accepted", "peer": peer }))?;
        self.shut_down_if_done()
    }

    /// After a connection: a listener goes on with the next.
    fn next_peer(&mut self) -> Result<(), Failure> {
        self.warn_of_loss()?;
        self.sink.end();
        self.peer_open = self.endpoint.goes_on();
        self.stall = self.stall.take().map(|_| StallWatch::default());
        self.drops_when_idle = None;
        Ok(())
    }

    /// A reset is an end like another: what was received counts.
    fn lost(&mut self, errno: Errno) -> Result<(), Failure> {
        let error = std::io::Error::from(errno);
        self.to_socket.clear();
        match self.endpoint.flow() {
            Flow::Stream { .. } | Flow::Connected => {
                self.output.say(format_args!("connection lost: {error}"));
                self.is_lost = true;
                self.peer_open = false;
                self.stdin_open = false;
                Ok(())
            }
            Flow::Listener => {
                self.output.say(format_args!("connection lost: {error}"));
                self.next_peer()
            }
            Flow::Bound | Flow::Packets | Flow::Foreign | Flow::Elsewhere | Flow::Group(_) => {
                self.output.say(format_args!("socket: {error}"));
                Ok(())
            }
        }
    }
}
