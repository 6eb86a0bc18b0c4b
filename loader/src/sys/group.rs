//! Groups of sockets, and the program that tells which of them gets a packet.

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;

use super::SysError;
use super::sockopt::set_int;

/// `SO_ATTACH_REUSEPORT_EBPF`: the program chooses among all sockets of the socket's `SO_REUSEPORT` group.
///
/// # Errors
///
/// - `EINVAL`: the socket has no `SO_REUSEPORT`.
/// - `ENOMEM`: the program is larger than `net.core.optmem_max`.
/// - `EPERM`: the socket's filter is locked.
///
/// Kernel: `sk_reuseport_attach_bpf()`, `net/core/filter.c`. Since 4.5.
pub fn attach_reuseport(socket: impl AsFd, program: impl AsFd) -> Result<(), SysError> {
    let number = program.as_fd().as_raw_fd();
    set_int(socket.as_fd(), libc::SO_ATTACH_REUSEPORT_EBPF, number, "setsockopt(SO_ATTACH_REUSEPORT_EBPF)")
}

/// `SO_DETACH_REUSEPORT_BPF`: from here on a hash chooses again.
///
/// # Errors
///
/// `ENOENT`: the group has no program.
///
/// Kernel: `reuseport_detach_prog()`, `net/core/sock_reuseport.c`. Since 5.3.
pub fn detach_reuseport(socket: impl AsFd) -> Result<(), SysError> {
    set_int(socket.as_fd(), libc::SO_DETACH_REUSEPORT_BPF, 0, "setsockopt(SO_DETACH_REUSEPORT_BPF)")
}

/// `PACKET_FANOUT`: the packet socket, which is bound, joins the group of this number, in which an eBPF program chooses.
///
/// # Errors
///
/// `EINVAL`: the socket is not bound or its interface is down; or the group chooses otherwise, or is for another interface or
/// protocol.
///
/// Kernel: `fanout_add()`, `net/packet/af_packet.c`. Since 3.1, with eBPF since 4.3.
pub fn join_fanout(socket: impl AsFd, group: u16) -> Result<(), SysError> {
    let value = i32::from(group) | (libc::PACKET_FANOUT_EBPF.cast_signed() << 16);
    set_packet_int(socket.as_fd(), libc::PACKET_FANOUT, value, "setsockopt(PACKET_FANOUT)")
}

/// `PACKET_FANOUT_DATA`: the program of the group that the socket is in. Replaces one that is there.
///
/// # Errors
///
/// - `EINVAL`: the socket is in no group, or the group does not choose by program.
/// - `EPERM`: the socket's filter is locked.
///
/// Kernel: `fanout_set_data_ebpf()`, `net/packet/af_packet.c`. Since 4.3.
pub fn set_fanout_program(socket: impl AsFd, program: impl AsFd) -> Result<(), SysError> {
    let number = program.as_fd().as_raw_fd();
    set_packet_int(socket.as_fd(), libc::PACKET_FANOUT_DATA, number, "setsockopt(PACKET_FANOUT_DATA)")
}

pub(super) fn set_packet_int(
    socket: BorrowedFd<'_>,
    option: i32,
    value: i32,
    call: &'static str,
) -> Result<(), SysError> {
    let pointer = std::ptr::from_ref(&value).cast();
    let len = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the kernel reads four bytes of `value`, which lives until the call returns.
    let ret = unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, pointer, len) };
    Errno::result(ret).map(drop).map_err(|errno| SysError { call, errno })
}
