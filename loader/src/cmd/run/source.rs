//! A file, read so that a signal or the end of the time ends it: whoever writes to a pipe may have nothing for long.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use minibpf::packet::capture::Capture;
use minibpf::packet::origin::{Bad, Place};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// When reading is to end, whatever there is.
pub(super) struct Stop {
    /// Becomes readable when a signal comes.
    pub(super) signal: OwnedFd,
    pub(super) until: Option<Instant>,
}

struct Source {
    stop: Arc<Stop>,
    file: OwnedFd,
}

/// Opens a capture file, `-` for standard input, and reads its header.
pub(super) fn open(path: &Path, stop: &Arc<Stop>) -> Result<Capture, Bad> {
    let file = path.display().to_string();
    match Source::open(path, Arc::clone(stop)) {
        Ok(source) => Capture::new(file, Box::new(source)),
        Err(error) => Err(Place::Argument(format!("--pcap {}", file.escape_debug())).bad(error.to_string())),
    }
}

impl Source {
    /// Opens a file, `-` for standard input.
    fn open(path: &Path, stop: Arc<Stop>) -> io::Result<Self> {
        let file = if path == Path::new("-") {
            // Not by way of the standard library's buffer, of which poll(2) knows nothing.
            io::stdin().as_fd().try_clone_to_owned()?
        } else {
            // Else open(2) itself would wait for who writes to a FIFO.
            OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?.into()
        };
        Ok(Self { stop, file })
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
                PollFd::new(self.file.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut fds, timeout) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(fds.first().and_then(PollFd::any) != Some(true)),
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.wait()? {
            match nix::unistd::read(&self.file, buffer) {
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                read => return Ok(read?),
            }
        }
        Ok(0)
    }
}
