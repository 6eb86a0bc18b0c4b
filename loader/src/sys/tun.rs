//! tun and tap devices: opening one, and its two programs.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::SysError;

/// `struct ifreq`, `include/uapi/linux/if.h`, as TUNSETIFF and SIOCSIFFLAGS read it.
#[repr(C)]
pub(super) struct IfReq {
    name: [u8; 16],
    pub(super) flags: i16,
    rest: [u8; 22],
}

impl IfReq {
    /// A name of at most 15 bytes.
    pub(super) fn named(name: &str, flags: i16) -> Self {
        let mut request = Self { name: [0; 16], flags, rest: [0; 22] };
        request.name.iter_mut().take(15).zip(name.bytes()).for_each(|(to, byte)| *to = byte);
        request
    }
}

const _: () = assert!(size_of::<IfReq>() == 40);

/// A queue of a tap or tun device, which is made if it does not exist.
///
/// # Errors
///
/// - `EPERM`: no `CAP_NET_ADMIN`, and the device is not this user's.
/// - `EBUSY`: somebody holds it, and it has only one queue.
/// - `EINVAL`: there is a device of this name that is no tap or tun device, or has other flags.
/// - `E2BIG`: it has as many queues as it may have.
///
/// Kernel: `tun_set_iff()`, `drivers/net/tun.c`.
pub fn open_queue(name: &str, flags: i16) -> Result<OwnedFd, SysError> {
    let failed = |call| move |errno| SysError { call, errno };
    let device = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    let queue = OwnedFd::from(device.map_err(|error| SysError::from_io("open(/dev/net/tun)", &error))?);
    let mut request = IfReq::named(name, flags);
    // SAFETY: the kernel reads and writes the 40 bytes of `request`, which lives until the call returns.
    let ret = unsafe { libc::ioctl(queue.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    Errno::result(ret).map_err(failed("ioctl(TUNSETIFF)"))?;
    nix::fcntl::fcntl(&queue, nix::fcntl::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))
        .map_err(failed("fcntl(O_NONBLOCK)"))?;
    Ok(queue)
}

/// TUNSETFILTEREBPF: what the machine sends into the device goes through the program first; `None` takes it off.
///
/// # Errors
///
/// - `EBADFD`: the descriptor is attached to no device.
/// - `EINVAL`: the program is no socket filter.
///
/// Kernel: `tun_set_ebpf()`, `drivers/net/tun.c`. Since 4.16.
pub fn set_filter(queue: impl AsFd, program: Option<BorrowedFd<'_>>) -> Result<(), SysError> {
    set_program(queue.as_fd(), libc::TUNSETFILTEREBPF, program, "ioctl(TUNSETFILTEREBPF)")
}

/// TUNSETSTEERINGEBPF: the program chooses the queue; `None` takes it off.
///
/// # Errors
///
/// As [`set_filter`].
///
/// Kernel: `tun_set_ebpf()`, `drivers/net/tun.c`. Since 4.16.
pub fn set_steering(queue: impl AsFd, program: Option<BorrowedFd<'_>>) -> Result<(), SysError> {
    set_program(queue.as_fd(), libc::TUNSETSTEERINGEBPF, program, "ioctl(TUNSETSTEERINGEBPF)")
}

fn set_program(
    queue: BorrowedFd<'_>,
    request: libc::Ioctl,
    program: Option<BorrowedFd<'_>>,
    call: &'static str,
) -> Result<(), SysError> {
    let number: i32 = program.map_or(-1, |program| program.as_raw_fd());
    // SAFETY: the kernel reads four bytes of `number`, which lives until the call returns.
    let ret = unsafe { libc::ioctl(queue.as_raw_fd(), request, &raw const number) };
    Errno::result(ret).map(drop).map_err(|errno| SysError { call, errno })
}
