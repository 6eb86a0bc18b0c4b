//! Standard input, read so that a signal or the end of the time ends it: whoever writes it may have nothing for long.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// When reading is to end, whatever there is.
pub(in super::super) struct Stop {
    /// Becomes readable when a signal comes.
    pub(in super::super) signal: OwnedFd,
    pub(in super::super) until: Option<Instant>,
}

pub(super) struct Stdin {
    stop: Stop,
    stdin: io::Stdin,
}

impl Stdin {
    pub(super) fn new(stop: Stop) -> Self {
        Self { stop, stdin: io::stdin() }
    }

    /// Waits until there is something to read; `false`: it is over.
    fn wait(&self) -> Result<bool, Errno> {
        loop {
            let timeout = match self.stop.until.map(|until| until.checked_duration_since(Instant::now())) {
                None => PollTimeout::NONE,
                Some(None) => return Ok(false),
                Some(Some(left)) => {
                    PollTimeout::from(u16::try_from(left.as_millis().saturating_add(1)).unwrap_or(u16::MAX))
                }
            };
            let mut fds = [
                PollFd::new(self.stop.signal.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.stdin.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut fds, timeout) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(fds.first().and_then(PollFd::any) != Some(true)),
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.wait()? {
            return Ok(0);
        }
        // Not by way of the standard library's buffer, of which poll(2) knows nothing.
        Ok(nix::unistd::read(&self.stdin, buffer)?)
    }
}
