//! How often a program runs, and how long it takes: counted only while somebody asks for it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::kernel::ProgramInfo;
use crate::sys::{SysError, bpf};

/// While this lives, the kernel counts and times the runs of every program of the machine.
#[derive(Debug)]
pub struct RunStats(OwnedFd);

impl AsFd for RunStats {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl RunStats {
    /// Switches the statistics on.
    ///
    /// # Errors
    ///
    /// `EPERM`: no `CAP_SYS_ADMIN`.
    pub fn enable() -> Result<Self, SysError> {
        bpf::enable_stats().map(Self)
    }
}

/// Mean nanoseconds of a run; `None` if it never ran.
pub fn mean_ns(info: &ProgramInfo) -> Option<u64> {
    info.run_time_ns.checked_div(info.run_count)
}
