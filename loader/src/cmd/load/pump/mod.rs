//! While a connection runs: standard input to the socket, the socket to standard output, events to whoever watches.
//!
//! One thread waits in poll(2) for whatever comes first. Nothing is read before there is room for it, so a slow reader on
//! one side slows the other side down instead of filling memory.

use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use minibpf::observe::ringbuf::RingBuffer;
use minibpf::observe::stall::{StallWatch, was_cut_off};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::events::Events;
use super::sink::Sink;
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;
use crate::cmd::signals::Signals;

/// How often the connection is looked at.
const TICK: Duration = Duration::from_millis(250);
/// What a pipe takes without blocking once poll(2) says it is ready (PIPE_BUF).
pub(super) const CHUNK: usize = 4096;
/// Events that are taken before the other descriptors get their turn.
const BURST: usize = 1024;

/// When to stop.
pub(super) struct Limits {
    pub(super) until: Option<Instant>,
    pub(super) events: Option<u64>,
}

/// What went through.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Traffic {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) events: u64,
    pub(super) ended: &'static str,
}

pub(super) struct Pump<'a> {
    output: &'a Output,
    events: Events<'a>,
    stream: &'a TcpStream,
    rings: &'a [RingBuffer<'a>],
    limits: Limits,
    sink: Sink,
    traffic: Traffic,
    to_socket: Vec<u8>,
    stdin_open: bool,
    peer_open: bool,
    stall: Option<StallWatch>,
    next_tick: Instant,
}

impl<'a> Pump<'a> {
    pub(super) fn new(
        output: &'a Output,
        events: Events<'a>,
        stream: &'a TcpStream,
        rings: &'a [RingBuffer<'a>],
        limits: Limits,
        file: Option<&Path>,
    ) -> Result<Self, Failure> {
        let sink = Sink::new(file, output.json)?;
        let now = Instant::now();
        Ok(Self {
            output,
            events,
            stream,
            rings,
            limits,
            sink,
            traffic: Traffic::default(),
            to_socket: Vec::new(),
            stdin_open: true,
            peer_open: true,
            stall: Some(StallWatch::default()),
            next_tick: now,
        })
    }

    /// Runs until the peer closes, a limit is reached or a signal comes.
    pub(super) fn run(mut self, signals: &Signals) -> Result<Traffic, Failure> {
        loop {
            let ready = self.wait(signals)?;
            for ring in self.rings {
                self.take_events(ring)?;
            }
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
            if let Some(reason) = self.over(signals, &ready) {
                // What the filter reported to the very end.
                for ring in self.rings {
                    self.take_events(ring)?;
                }
                self.deliver()?;
                self.warn_of_loss()?;
                self.traffic.ended = reason;
                return Ok(self.traffic);
            }
        }
    }

    fn over(&self, signals: &Signals, ready: &Ready) -> Option<&'static str> {
        if signals.came() {
            return Some("interrupted");
        }
        if self.limits.events.is_some_and(|limit| self.traffic.events >= limit) {
            return Some("count reached");
        }
        if self.limits.until.is_some_and(|until| Instant::now() >= until) {
            return Some("duration over");
        }
        ready.nothing_left.then_some("peer closed")
    }

    /// Whether the peer has closed its side and everything is delivered. It may still read: what standard input has ready is
    /// sent first.
    fn is_drained(&self) -> bool {
        !self.peer_open && self.sink.is_empty() && self.to_socket.is_empty()
    }

    /// Waits until something can be done.
    fn wait(&self, signals: &Signals) -> Result<Ready, Failure> {
        let stdin = std::io::stdin();
        let stdout = std::io::stdout();
        let mut socket_events = PollFlags::empty();
        if self.peer_open && self.sink.is_empty() {
            socket_events |= PollFlags::POLLIN;
        }
        if !self.to_socket.is_empty() {
            socket_events |= PollFlags::POLLOUT;
        }
        let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.rings.iter().map(|ring| PollFd::new(ring.as_fd(), PollFlags::POLLIN)));
        let mut add = |fd, events, wanted: bool| {
            wanted.then(|| {
                fds.push(PollFd::new(fd, events));
                fds.len() - 1
            })
        };
        let stdin = add(stdin.as_fd(), PollFlags::POLLIN, self.stdin_open && self.to_socket.is_empty());
        let socket = add(self.stream.as_fd(), socket_events, !socket_events.is_empty());
        let sink = add(stdout.as_fd(), PollFlags::POLLOUT, !self.sink.is_empty());
        let until = self.limits.until.unwrap_or(self.next_tick).min(self.next_tick);
        // A pipe that is empty for a moment is not yet at its end; a person at a terminal is not waited for.
        let drained = self.is_drained();
        let patience = if self.stdin_open && !std::io::stdin().is_terminal() { TICK } else { Duration::ZERO };
        let wait = if drained { patience } else { until.saturating_duration_since(Instant::now()) };
        let wait = wait.as_millis() as u16 + u16::from(!drained);
        match poll(&mut fds, PollTimeout::from(wait)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Failure::new(Exit::Other, format!("poll: {}", errno.desc()))),
        }
        let any = |index: Option<usize>| index.and_then(|index| fds.get(index)?.any()).unwrap_or(false);
        let stdin = any(stdin);
        Ok(Ready { stdin, socket: any(socket), sink: any(sink), nothing_left: drained && !stdin })
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
            match self.stream.shutdown(Shutdown::Write) {
                Err(error) if error.kind() != ErrorKind::NotConnected => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn write_socket(&mut self) -> Result<(), Failure> {
        if self.to_socket.is_empty() {
            return Ok(());
        }
        let mut stream = self.stream;
        match stream.write(&self.to_socket) {
            Ok(count) => {
                self.traffic.sent += count as u64;
                self.to_socket.drain(..count);
                return self.shut_down_if_done();
            }
            Err(error) if is_retry(&error) => {}
            Err(error) => self.lost(&error),
        }
        Ok(())
    }

    fn read_socket(&mut self) -> Result<(), Failure> {
        if !self.sink.is_empty() {
            return Ok(());
        }
        let mut buffer = [0; CHUNK];
        let mut stream = self.stream;
        let received = match stream.read(&mut buffer) {
            Ok(0) => {
                self.peer_open = false;
                return Ok(());
            }
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(error) if is_retry(&error) => return Ok(()),
            Err(error) => {
                self.lost(&error);
                return Ok(());
            }
        };
        self.traffic.received += received.len() as u64;
        self.sink.take(received)
    }

    /// A reset is an end like another: what was received counts.
    fn lost(&mut self, error: &std::io::Error) {
        self.output.say(format_args!("connection lost: {error}"));
        self.peer_open = false;
        self.stdin_open = false;
        self.to_socket.clear();
    }

    fn take_events(&mut self, ring: &RingBuffer<'_>) -> Result<(), Failure> {
        for _ in 0..BURST {
            if self.limits.events.is_some_and(|limit| self.traffic.events >= limit) {
                break;
            }
            let Some(event) = ring.next_record() else { break };
            self.traffic.events += 1;
            self.events.print(self.traffic.events, ring.name(), &event)?;
        }
        Ok(())
    }

    /// Hands over what was received, as long as standard output takes it.
    fn deliver(&mut self) -> Result<(), Failure> {
        while !self.sink.is_empty() {
            let stdout = std::io::stdout();
            let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::POLLOUT)];
            match poll(&mut fds, PollTimeout::from(TICK.as_millis() as u16)) {
                Ok(1..) => self.sink.write()?,
                _ => break,
            }
        }
        Ok(())
    }

    /// A connection that ended before it could stall for long.
    fn warn_of_loss(&self) -> Result<(), Failure> {
        if self.peer_open || self.stall.is_none() || !was_cut_off(self.stream).unwrap_or(false) {
            return Ok(());
        }
        self.output.warn("loss", "the peer closed, and all that it had sent was cut off: the filter returned less than skb->len. A filter returns skb->len for what is to pass")
    }

    /// Looks at the connection now and then, until there was reason to warn.
    fn tick(&mut self) -> Result<(), Failure> {
        if Instant::now() < self.next_tick {
            return Ok(());
        }
        self.next_tick = Instant::now() + TICK;
        let Some(watch) = &mut self.stall else { return Ok(()) };
        if !self.sink.is_empty() {
            // It is our own reader that is slow: the peer probes a closed window, and that looks alike.
            *watch = StallWatch::default();
            return Ok(());
        }
        let Ok(Some(stall)) = watch.check(self.stream) else { return Ok(()) };
        self.stall = None;
        self.output.warn("stall", stall)
    }
}

/// What is to be done.
struct Ready {
    stdin: bool,
    socket: bool,
    sink: bool,
    /// The peer has closed, and there is nothing to deliver and nothing ready to be sent.
    nothing_left: bool,
}

fn is_retry(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
