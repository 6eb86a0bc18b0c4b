//! A descriptor of another process, duplicated into this one: `pidfd_open(2)` and `pidfd_getfd(2)`.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::SysError;

/// `pidfd_open(2)`: a descriptor that stands for a process.
///
/// # Errors
///
/// - `ESRCH`: there is no such process.
/// - `EINVAL`: the number is a thread's, or none that a process can have.
/// - `ENOSYS`: a kernel before 5.3.
///
/// Kernel: `SYSCALL_DEFINE2(pidfd_open)`, `kernel/pid.c`. Since 5.3.
pub fn pidfd_open(pid: i32) -> Result<OwnedFd, SysError> {
    call(libc::SYS_pidfd_open, [pid, 0, 0], "pidfd_open")
}

/// `pidfd_getfd(2)`: a duplicate of a process's descriptor; both mean the same open socket.
///
/// # Errors
///
/// - `EPERM`: this process may not trace that one (`PTRACE_MODE_ATTACH_REALCREDS`): another user, or a security module.
/// - `EBADF`: it has no such descriptor.
/// - `ESRCH`: it is gone.
///
/// Kernel: `pidfd_getfd()`, `kernel/pid.c`. Since 5.6.
pub fn pidfd_getfd(process: impl AsFd, fd: i32) -> Result<OwnedFd, SysError> {
    call(libc::SYS_pidfd_getfd, [process.as_fd().as_raw_fd(), fd, 0], "pidfd_getfd")
}

/// A duplicate of a descriptor that this process was started with.
///
/// # Errors
///
/// `EBADF`: it has none of that number.
///
/// Kernel: `f_dupfd()`, `fs/fcntl.c`.
pub fn inherited(fd: i32) -> Result<OwnedFd, SysError> {
    // SAFETY: the call takes three numbers; a number that is no descriptor is EBADF.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) };
    owned(copy.into(), "fcntl(F_DUPFD_CLOEXEC)")
}

fn call(number: libc::c_long, [a, b, c]: [libc::c_int; 3], name: &'static str) -> Result<OwnedFd, SysError> {
    // SAFETY: both calls of this file take numbers alone, at most three.
    owned(unsafe { libc::syscall(number, a, b, c) }, name)
}

fn owned(fd: libc::c_long, call: &'static str) -> Result<OwnedFd, SysError> {
    let fd = Errno::result(fd).map_err(|errno| SysError { call, errno })?;
    // SAFETY: the kernel has just opened this descriptor for us, with O_CLOEXEC, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}
