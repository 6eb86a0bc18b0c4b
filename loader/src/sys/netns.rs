//! A network namespace of a thread's own: sockets that are opened in it meet nobody else's packets.
//!
//! Nothing has to be taken away: the namespace goes with the thread and the last socket.

use std::os::fd::AsRawFd;

use nix::errno::Errno;

use super::SysError;
use super::socket::{AF_INET, Kind, SOCK_DGRAM, open};
use super::tun::IfReq;

/// Does some work in a network namespace that is made for it, in a thread of its own; whoever calls stays where it is. Only the
/// loopback interface is there, and it is up.
///
/// # Errors
///
/// - `EPERM`: no `CAP_SYS_ADMIN`.
/// - `EINVAL`: a kernel without network namespaces.
/// - `ENOSPC`: there are as many as the user may have.
///
/// Kernel: `ksys_unshare()`, `kernel/fork.c`. `CLONE_NEWNET` since 2.6.24.
pub fn inside<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, SysError> {
    let in_thread = || {
        // SAFETY: the call takes a number, and changes which namespace this thread is in, nothing in memory.
        let ret = unsafe { libc::unshare(libc::CLONE_NEWNET) };
        Errno::result(ret).map_err(|errno| SysError { call: "unshare(CLONE_NEWNET)", errno })?;
        set_loopback_up()?;
        Ok(work())
    };
    std::thread::scope(|scope| {
        // `scope.spawn` would panic where there can be no more threads.
        let spawned = std::thread::Builder::new().spawn_scoped(scope, in_thread);
        match spawned.map_err(|error| SysError::from_io("clone", &error))?.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Brings the loopback interface up; the kernel gives it 127.0.0.1 and `::1`.
fn set_loopback_up() -> Result<(), SysError> {
    let mut request = IfReq::named("lo", 0);
    ioctl(libc::SIOCGIFFLAGS, &mut request, "ioctl(SIOCGIFFLAGS)")?;
    request.flags |= libc::IFF_UP as i16;
    ioctl(libc::SIOCSIFFLAGS, &mut request, "ioctl(SIOCSIFFLAGS)")
}

/// Takes the addresses of the loopback interface away, so that nobody answers the packets that pass it.
///
/// # Errors
///
/// `EPERM`: the namespace is not this process's own.
///
/// Kernel: `devinet_ioctl()`, `net/ipv4/devinet.c`.
pub fn silence_loopback() -> Result<(), SysError> {
    // A kernel without IPv6 has no such file; it has no ::1 either.
    let _ = std::fs::write("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1");
    // Where flags would be, an address begins with its family; 0.0.0.0 deletes the one that is there.
    let mut request = IfReq::named("lo", AF_INET.0 as i16);
    ioctl(libc::SIOCSIFADDR, &mut request, "ioctl(SIOCSIFADDR)")
}

fn ioctl(number: libc::c_ulong, request: &mut IfReq, call: &'static str) -> Result<(), SysError> {
    let socket = open(Kind::inet(false, SOCK_DGRAM, 0))?;
    // SAFETY: the kernel reads and writes the 40 bytes of `request`, which lives until the call returns.
    let ret = unsafe { libc::ioctl(socket.as_raw_fd(), number as libc::Ioctl, std::ptr::from_mut(request)) };
    Errno::result(ret).map(drop).map_err(|errno| SysError { call, errno })
}
