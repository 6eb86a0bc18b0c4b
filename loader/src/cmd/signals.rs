//! SIGINT and SIGTERM end a command in order.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::{Exit, Failure};

/// SIGINT and SIGTERM, as something that can be polled. The second one ends the program at once.
pub(crate) struct Signals {
    wake: UnixStream,
    flag: Arc<AtomicBool>,
}

impl Signals {
    pub(crate) fn catch() -> Result<Self, Failure> {
        Self::register().map_err(|error| {
            Failure::new(Exit::Other, format!("SIGINT and SIGTERM cannot be caught: {error}"))
                .hint("it takes a pair of sockets and a signal handler: ulimit -n allows too few descriptors, or a seccomp filter forbids it")
        })
    }

    fn register() -> std::io::Result<Self> {
        let (wake, sender) = UnixStream::pair()?;
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // In this order: when the flag is set already, the default action comes first.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag))?;
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self { wake, flag })
    }

    pub(crate) fn came(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
