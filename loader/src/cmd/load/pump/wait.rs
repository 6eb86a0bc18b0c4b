//! poll(2): what can be done next.

use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Pump, TICK};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::signals::Signals;

/// What is to be done.
pub(super) struct Ready {
    pub(super) stdin: bool,
    pub(super) socket: bool,
    pub(super) sink: bool,
    /// The peer has closed, and there is nothing to deliver and nothing ready to be sent.
    pub(super) nothing_left: bool,
}

impl Pump<'_> {
    /// Whether the peer has closed its side and everything is delivered. It may still read: what standard input has ready is
    /// sent first.
    fn is_drained(&self) -> bool {
        !self.peer_open && self.sink.is_empty() && self.to_socket.is_empty()
    }

    /// Waits until something can be done.
    pub(super) fn wait(&self, signals: &Signals) -> Result<Ready, Failure> {
        let stdin = std::io::stdin();
        let stdout = std::io::stdout();
        let mut socket_events = PollFlags::empty();
        if self.peer_open && self.sink.is_empty() && self.endpoint.is_read() {
            socket_events |= PollFlags::POLLIN;
        }
        if !self.to_socket.is_empty() {
            socket_events |= PollFlags::POLLOUT;
        }
        let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.events.fd().map(|events| PollFd::new(events, PollFlags::POLLIN)));
        let members = fds.len()..fds.len() + self.endpoint.members().len();
        let group = self.endpoint.members().iter().map(|member| PollFd::new(member.as_fd(), PollFlags::POLLIN));
        fds.extend(group);
        let mut add = |fd, events, wanted: bool| {
            wanted.then(|| {
                fds.push(PollFd::new(fd, events));
                fds.len() - 1
            })
        };
        let wanted = self.stdin_open && self.to_socket.is_empty() && self.endpoint.can_send();
        let stdin = add(stdin.as_fd(), PollFlags::POLLIN, wanted);
        let socket = add(self.endpoint.fd(), socket_events, !socket_events.is_empty());
        let sink = add(stdout.as_fd(), PollFlags::POLLOUT, !self.sink.is_empty());
        let times = [self.limits.until, self.watched.as_ref().map(|watched| watched.next)];
        let until = times.into_iter().flatten().fold(self.next_tick, Instant::min);
        // A pipe that is empty for a moment is not yet at its end; a person at a terminal is not waited for.
        let drained = self.is_drained();
        let patience = if self.stdin_open && !std::io::stdin().is_terminal() { TICK } else { Duration::ZERO };
        let wait = if drained { patience } else { until.saturating_duration_since(Instant::now()) };
        let wait = if self.more_events { 0 } else { wait.as_millis() as u16 + u16::from(!drained) };
        match poll(&mut fds, PollTimeout::from(wait)) {
            // EAGAIN: for want of memory, for a moment.
            Ok(_) | Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(errno) => return Err(Failure::new(Exit::Other, format!("poll: {} ({errno:?})", errno.desc()))),
        }
        let any = |index: Option<usize>| index.and_then(|index| fds.get(index)?.any()).unwrap_or(false);
        let stdin = any(stdin);
        let socket = any(socket) || members.into_iter().any(|member| any(Some(member)));
        Ok(Ready { stdin, socket, sink: any(sink), nothing_left: drained && !stdin && !self.more_events })
    }

    /// Hands over what was received, as long as standard output takes it.
    pub(super) fn deliver(&mut self) -> Result<(), Failure> {
        self.sink.end();
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
}
