//! The kernel's edge: bpf(2), sockets and their options, descriptors of others, mapped memory. The only unsafe code of the crate.
//!
//! What other modules can call is safe, and makes one system call where it makes any. Descriptors come in as [`AsFd`] and go out as
//! [`OwnedFd`]; what the kernel reads or writes is a slice that lives as long as the call.
//!
//! [`AsFd`]: std::os::fd::AsFd
//! [`OwnedFd`]: std::os::fd::OwnedFd

#![allow(unsafe_code, reason = "system calls cannot be made otherwise; each block says why it is sound")]

pub mod attr;
pub mod bpf;
pub(crate) mod btf_info;
pub mod counters;
pub mod filter;
pub mod group;
pub mod id;
pub mod map;
pub(crate) mod map_batch;
pub mod map_info;
pub(crate) mod mapping;
pub mod membarrier;
pub mod netns;
pub(crate) mod perf_event;
pub mod pidfd;
pub mod pin;
pub(crate) mod prog_dump;
pub(crate) mod rings;
pub mod socket;
pub mod sockopt;
pub mod test_run;
pub mod tun;
pub mod vmlinux;

use nix::errno::Errno;
use thiserror::Error;

/// A system call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{call}: {} ({})", errno_text(*errno), errno_name(*errno))]
pub struct SysError {
    /// The call, and for bpf(2) its command.
    pub call: &'static str,
    /// Why.
    pub errno: Errno,
}

impl SysError {
    /// An error of the standard library's, with its errno; `EIO` if it has none.
    pub fn from_io(call: &'static str, error: &std::io::Error) -> Self {
        Self { call, errno: error.raw_os_error().map_or(Errno::EIO, Errno::from_raw) }
    }
}

/// `EPERM`, `EACCES` …
pub fn errno_name(errno: Errno) -> String {
    match errno {
        // The kernel's own (524), which escapes to user space and has no name in any C library; bpf(2) returns no other such.
        Errno::UnknownErrno => "ENOTSUPP".to_owned(),
        errno => format!("{errno:?}"),
    }
}

fn errno_text(errno: Errno) -> &'static str {
    if errno == Errno::UnknownErrno { "The kernel does not support it" } else { errno.desc() }
}

/// CPUs that this machine may ever have: the highest number in `/sys/devices/system/cpu/possible` (`0-3`, `0,2-7`) + 1.
///
/// # Errors
///
/// As reading a file has; `EIO`: it says something else.
pub fn possible_cpus() -> Result<usize, SysError> {
    const CALL: &str = "read(/sys/devices/system/cpu/possible)";
    let text =
        std::fs::read_to_string("/sys/devices/system/cpu/possible").map_err(|error| SysError::from_io(CALL, &error))?;
    let last = text.trim().rsplit(['-', ',']).next().and_then(|number| number.parse::<usize>().ok());
    last.map(|last| last + 1).ok_or(SysError { call: CALL, errno: Errno::EIO })
}
