//! setsockopt(2) at level `SOL_SOCKET`, as far as filters need it.

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;

use super::SysError;

/// `SO_ATTACH_BPF`, `include/uapi/asm-generic/socket.h`.
pub const SO_ATTACH_BPF: i32 = libc::SO_ATTACH_BPF;
/// `SO_DETACH_BPF`, the same number as `SO_DETACH_FILTER`: it takes off whatever filter is there.
pub const SO_DETACH_BPF: i32 = libc::SO_DETACH_BPF;

/// Calls setsockopt(2) with an int, as all filter options are: another length is EINVAL.
pub(super) fn set_int(socket: BorrowedFd<'_>, option: i32, value: i32, call: &'static str) -> Result<(), SysError> {
    let pointer = std::ptr::from_ref(&value).cast();
    // SAFETY: the kernel reads four bytes of `value`, which lives until the call returns.
    let ret = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, pointer, size_of::<i32>() as libc::socklen_t)
    };
    Errno::result(ret).map(drop).map_err(|errno| SysError { call, errno })
}

/// `SO_ATTACH_BPF`: every packet that the socket receives goes through the program first. Replaces a filter that is there.
///
/// # Errors
///
/// - `EINVAL`: the program is no socket filter.
/// - `ENOMEM`: the program is larger than `net.core.optmem_max` allows this socket.
/// - `EPERM`: the filter is locked (`SO_LOCK_FILTER`).
///
/// Kernel: `sk_attach_bpf()`, `net/core/filter.c`. Since 3.19.
pub fn attach_bpf(socket: impl AsFd, program: impl AsFd) -> Result<(), SysError> {
    set_int(socket.as_fd(), SO_ATTACH_BPF, program.as_fd().as_raw_fd(), "setsockopt(SO_ATTACH_BPF)")
}

/// `SO_DETACH_BPF`: takes the filter off.
///
/// # Errors
///
/// - `ENOENT`: there is none.
/// - `EPERM`: it is locked.
///
/// Kernel: `sk_detach_filter()`, `net/core/filter.c`. Since 2.2 for classic filters, 3.19 for eBPF.
pub fn detach_bpf(socket: impl AsFd) -> Result<(), SysError> {
    set_int(socket.as_fd(), SO_DETACH_BPF, 0, "setsockopt(SO_DETACH_BPF)")
}
