//! A socket that somebody else opened: of another process, or inherited from it.
//!
//! - **Call**: `pidfd_open(2)` and `pidfd_getfd(2)` make a descriptor of one's own for the same open socket; then `SO_ATTACH_BPF`
//!   (see [`super::socket`]). The other process runs on and is not asked.
//! - **Byte 0, return value**: as that socket has them.
//! - **Lifetime**: the socket holds the program, and the socket is the other process's: the filter outlives whoever
//!   attached it. That is why [`present`] is asked first: attaching replaces a filter, and an eBPF one cannot be had back.
//!
//! Kernel: `pidfd_getfd()`, `kernel/pid.c`, since 5.6; `ptrace_may_access()`, `kernel/ptrace.c`, decides.

use std::os::fd::{AsFd, OwnedFd};

use super::{Hook, SOCKET, packet, raw, tcp, udp, unix};
use crate::sys::filter::{self, ClassicInsn, Present};
use crate::sys::{SysError, pidfd, socket};

/// Another process's socket.
pub const HOOK: Hook = Hook {
    name: "foreign",
    target: "--attach pid:PID:FD, pid:PID:tcp:ADDR, pid:PID:udp:ADDR, fd:N, listen-fd:N",
    call: "pidfd_getfd, then setsockopt(SO_ATTACH_BPF)",
    byte0: "as that socket has it",
    returns: "as that socket has it",
    privileges: "another process's: PTRACE_MODE_ATTACH (the same user, or CAP_SYS_PTRACE)",
    since: "5.6",
    kernel: "pidfd_getfd(), kernel/pid.c",
    ..SOCKET
};

/// A descriptor for a socket that process `pid` has as descriptor `fd`.
///
/// # Errors
///
/// See [`pidfd::pidfd_open`] and [`pidfd::pidfd_getfd`].
pub fn duplicate(pid: i32, fd: i32) -> Result<OwnedFd, SysError> {
    pidfd::pidfd_getfd(pidfd::pidfd_open(pid)?, fd)
}

/// Which filter a socket has.
///
/// # Errors
///
/// See [`filter::present`].
pub fn present(socket: impl AsFd) -> Result<Present, SysError> {
    filter::present(socket)
}

/// Puts a classic filter back in place of the one that is there.
///
/// # Errors
///
/// See [`filter::attach_classic`].
pub fn restore(socket: impl AsFd, classic: &[ClassicInsn]) -> Result<(), SysError> {
    filter::attach_classic(socket, classic)
}

/// Locks the filter for as long as the socket lives.
///
/// # Errors
///
/// See [`filter::lock`].
pub fn lock(socket: impl AsFd) -> Result<(), SysError> {
    filter::lock(socket)
}

/// What a filter finds on a socket that is open already: the row of its kind.
///
/// # Errors
///
/// `ENOTSOCK`: not a socket.
pub fn hook_of(open: impl AsFd) -> Result<Hook, SysError> {
    let [family, kind, protocol] = socket::kind_of(open)?;
    Ok(match (family, kind, protocol) {
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM, libc::IPPROTO_TCP) => tcp::CLIENT,
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_DGRAM, libc::IPPROTO_UDP) => udp::HOOK,
        (libc::AF_INET, libc::SOCK_RAW, _) => raw::V4,
        (libc::AF_INET6, libc::SOCK_RAW, _) => raw::V6,
        (libc::AF_PACKET, libc::SOCK_RAW, _) => packet::RAW,
        (libc::AF_PACKET, libc::SOCK_DGRAM, _) => packet::COOKED,
        (libc::AF_UNIX, libc::SOCK_DGRAM, _) => unix::DATAGRAM,
        (libc::AF_UNIX, ..) => unix::STREAM,
        _ => HOOK,
    })
}
