//! What else there is to do with a socket's filter: ask for it, lock it, and put a classic one back.

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;

use super::SysError;
use super::sockopt::set_int;

/// An instruction of a classic filter: `struct sock_filter`, `include/uapi/linux/filter.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassicInsn {
    /// Opcode.
    pub code: u16,
    /// Instructions to skip if the test holds.
    pub jt: u8,
    /// Instructions to skip if it does not.
    pub jf: u8,
    /// A constant.
    pub k: u32,
}

/// What `SO_GET_FILTER` tells of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Present {
    /// No filter.
    None,
    /// A classic filter, instruction for instruction.
    Classic(Vec<ClassicInsn>),
    /// An eBPF program. Which one, the kernel does not say.
    Ebpf,
}

/// `SO_GET_FILTER`: which filter a socket has. A classic one can be read whole; of an eBPF program the kernel has no instructions
/// that it could give back (EACCES).
///
/// # Errors
///
/// `ENOTSOCK`: not a socket.
///
/// Kernel: `sk_get_filter()`, `net/core/filter.c`. Since 3.8; EACCES for eBPF since 4.1.
pub fn present(socket: impl AsFd) -> Result<Present, SysError> {
    let socket = socket.as_fd();
    let count = match get_filter(socket, &mut []) {
        Ok(0) => return Ok(Present::None),
        Ok(count) => count,
        Err(Errno::EACCES) => return Ok(Present::Ebpf),
        Err(errno) => return Err(SysError { call: GET_FILTER, errno }),
    };
    let mut raw = vec![libc::sock_filter { code: 0, jt: 0, jf: 0, k: 0 }; count];
    let filled = get_filter(socket, &mut raw).map_err(|errno| SysError { call: GET_FILTER, errno })?;
    let insns = raw.iter().take(filled).map(|&libc::sock_filter { code, jt, jf, k }| ClassicInsn { code, jt, jf, k });
    Ok(Present::Classic(insns.collect()))
}

const GET_FILTER: &str = "getsockopt(SO_GET_FILTER)";

/// Unlike with other options, the length counts instructions; 0 only asks how many there are.
fn get_filter(socket: BorrowedFd<'_>, insns: &mut [libc::sock_filter]) -> Result<usize, Errno> {
    let mut count = insns.len() as libc::socklen_t;
    let pointer = insns.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `count` instructions to `insns`, which has room for them, and nothing if that is 0;
    // any bytes make a valid sock_filter.
    let ret =
        unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_GET_FILTER, pointer, &raw mut count) };
    Errno::result(ret).map(|_| count as usize)
}

/// `SO_ATTACH_FILTER`: a classic filter takes the place of whichever is there.
///
/// # Errors
///
/// - `EINVAL`: the instructions are malformed, none, or more than 4096.
/// - `ENOMEM`: larger than `net.core.optmem_max` allows this socket.
/// - `EPERM`: the filter is locked.
///
/// Kernel: `sk_attach_filter()`, `net/core/filter.c`. Since 2.2.
pub fn attach_classic(socket: impl AsFd, insns: &[ClassicInsn]) -> Result<(), SysError> {
    let mut raw: Vec<_> =
        insns.iter().map(|&ClassicInsn { code, jt, jf, k }| libc::sock_filter { code, jt, jf, k }).collect();
    let call = "setsockopt(SO_ATTACH_FILTER)";
    let len = u16::try_from(raw.len()).map_err(|_| SysError { call, errno: Errno::EINVAL })?;
    let program = libc::sock_fprog { len, filter: raw.as_mut_ptr() };
    let pointer = std::ptr::from_ref(&program).cast();
    let size = size_of::<libc::sock_fprog>() as libc::socklen_t;
    // SAFETY: the kernel reads `size` bytes of `program` and `len` instructions of `raw`; both live until the call returns.
    let ret = unsafe {
        libc::setsockopt(socket.as_fd().as_raw_fd(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, pointer, size)
    };
    Errno::result(ret).map(drop).map_err(|errno| SysError { call, errno })
}

/// `SO_LOCK_FILTER`: from here on nothing takes the filter off or replaces it, until the socket is closed.
///
/// # Errors
///
/// `EPERM`: it is locked, and was to be unlocked.
///
/// Kernel: `sk_setsockopt()`, `net/core/sock.c`. Since 3.9.
pub fn lock(socket: impl AsFd) -> Result<(), SysError> {
    set_int(socket.as_fd(), libc::SO_LOCK_FILTER, 1, "setsockopt(SO_LOCK_FILTER)")
}
