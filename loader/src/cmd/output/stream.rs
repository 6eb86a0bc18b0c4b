//! Bytes to standard output and standard error, all of them.

use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::cmd::failure::{Exit, Failure};

/// Data, to standard output.
pub(super) fn data(bytes: &[u8]) -> Result<(), Failure> {
    write(std::io::stdout(), bytes).map_err(|errno| match errno {
        Errno::EPIPE => Failure::broken_pipe(),
        errno => Failure::new(Exit::Other, format!("standard output: {} ({errno:?})", errno.desc())),
    })
}

/// Narration, to standard error; a reader that is gone is not worth failing for.
pub(super) fn narrate(bytes: &[u8]) {
    let _ = write(std::io::stderr(), bytes);
}

/// To the descriptor itself: how much of the bytes went out before an error, the library's streams do not tell. Whoever else has the
/// pipe or the terminal open may have made it non-blocking, for everybody.
fn write(stream: impl AsFd, bytes: &[u8]) -> Result<(), Errno> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match nix::unistd::write(&stream, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => wait(&stream)?,
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Until there is room.
fn wait(stream: impl AsFd) -> Result<(), Errno> {
    let mut fds = [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
    match poll(&mut fds, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR | Errno::EAGAIN) => Ok(()),
        Err(errno) => Err(errno),
    }
}
