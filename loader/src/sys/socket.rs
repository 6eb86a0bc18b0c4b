//! socket(2) for any kind of socket, and bind(2) to an interface.

use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::group::set_packet_int;
use super::{SysError, counters};

/// A number that the kernel knows, and its name for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(pub i32, pub &'static str);

/// `AF_INET`.
pub const AF_INET: Name = Name(libc::AF_INET, "AF_INET");
/// `AF_INET6`.
pub const AF_INET6: Name = Name(libc::AF_INET6, "AF_INET6");
/// `AF_UNIX`.
pub const AF_UNIX: Name = Name(libc::AF_UNIX, "AF_UNIX");
/// `AF_PACKET`.
pub const AF_PACKET: Name = Name(libc::AF_PACKET, "AF_PACKET");
/// `SOCK_STREAM`.
pub const SOCK_STREAM: Name = Name(libc::SOCK_STREAM, "SOCK_STREAM");
/// `SOCK_DGRAM`.
pub const SOCK_DGRAM: Name = Name(libc::SOCK_DGRAM, "SOCK_DGRAM");
/// `SOCK_RAW`.
pub const SOCK_RAW: Name = Name(libc::SOCK_RAW, "SOCK_RAW");

/// What socket(2) is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// `AF_INET` …
    pub family: Name,
    /// `SOCK_STREAM` …
    pub kind: Name,
    /// `IPPROTO_TCP` …; 0 is the kind's own, and on `AF_PACKET` none at all.
    pub protocol: i32,
}

impl Kind {
    /// An Internet socket of either family.
    pub const fn inet(is_v6: bool, kind: Name, protocol: i32) -> Self {
        Self { family: if is_v6 { AF_INET6 } else { AF_INET }, kind, protocol }
    }
}

/// socket(2), with `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
///
/// # Errors
///
/// - `EPERM`: a raw or packet socket without `CAP_NET_RAW`.
/// - `EPROTONOSUPPORT`, `EAFNOSUPPORT`: this kernel has no such protocol or family.
/// - `EMFILE`, `ENFILE`: too many descriptors are open.
///
/// Kernel: `__sys_socket()`, `net/socket.c`.
pub fn open(kind: Kind) -> Result<OwnedFd, SysError> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the call takes three numbers.
    let fd = unsafe { libc::socket(kind.family.0, kind.kind.0 | flags, kind.protocol) };
    let fd = Errno::result(fd).map_err(|errno| SysError { call: "socket", errno })?;
    // SAFETY: the kernel has just opened this descriptor for us, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// bind(2) of a packet socket: from here on it gets every packet (`ETH_P_ALL`) of the interface with this number.
///
/// # Errors
///
/// - `ENODEV`: there is no interface of this number.
/// - `ENETDOWN`: the interface is down.
///
/// Kernel: `packet_do_bind()`, `net/packet/af_packet.c`.
pub fn bind_to_interface(socket: impl AsFd, index: u32) -> Result<(), SysError> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: index.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    let pointer = std::ptr::from_ref(&address).cast();
    // SAFETY: the kernel reads `len` bytes of `address`, which lives until the call returns.
    let ret = unsafe { libc::bind(socket.as_fd().as_raw_fd(), pointer, len) };
    Errno::result(ret).map(drop).map_err(|errno| SysError { call: "bind", errno })
}

/// `PACKET_IGNORE_OUTGOING`: from here on a packet socket gets what its interface receives, not what the machine sends.
///
/// # Errors
///
/// `ENOPROTOOPT`: a kernel before 4.20, or no packet socket.
///
/// Kernel: `packet_setsockopt()`, `net/packet/af_packet.c`.
pub fn ignore_outgoing(socket: impl AsFd) -> Result<(), SysError> {
    /// `include/uapi/linux/if_packet.h`.
    const PACKET_IGNORE_OUTGOING: i32 = 23;
    set_packet_int(socket.as_fd(), PACKET_IGNORE_OUTGOING, 1, "setsockopt(PACKET_IGNORE_OUTGOING)")
}

/// What a socket is: `SO_DOMAIN` (`AF_INET` …), `SO_TYPE` (`SOCK_STREAM` …) and `SO_PROTOCOL`.
///
/// # Errors
///
/// `ENOTSOCK`: not a socket.
///
/// Kernel: `sk_getsockopt()`, `net/core/sock.c`. Since 2.6.32.
pub fn kind_of(socket: impl AsFd) -> Result<[i32; 3], SysError> {
    let ask = |option, call| counters::get(socket.as_fd(), libc::SOL_SOCKET, option, call);
    Ok([
        ask(libc::SO_DOMAIN, "getsockopt(SO_DOMAIN)")?,
        ask(libc::SO_TYPE, "getsockopt(SO_TYPE)")?,
        ask(libc::SO_PROTOCOL, "getsockopt(SO_PROTOCOL)")?,
    ])
}

/// `SO_LOCK_FILTER`, asked: whether the socket's filter is there to stay.
///
/// # Errors
///
/// `ENOTSOCK`: not a socket.
///
/// Kernel: `sk_getsockopt()`, `net/core/sock.c`. Since 3.9.
pub fn is_locked(socket: impl AsFd) -> Result<bool, SysError> {
    let locked: i32 =
        counters::get(socket.as_fd(), libc::SOL_SOCKET, libc::SO_LOCK_FILTER, "getsockopt(SO_LOCK_FILTER)")?;
    Ok(locked != 0)
}
