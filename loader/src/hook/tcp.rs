//! TCP: a filter on the segments of a connection, or of all that a listener accepts.
//!
//! - **Call**: `SO_ATTACH_BPF` (see [`super::socket`]) between socket(2) and connect(2) or bind(2), so that nothing comes in
//!   unfiltered.
//! - **Byte 0**: the TCP header, with IPv6 too.
//! - **Return value**: 0 drops the segment, and the peer sends it again; what is cut off is lost in the same way. A SYN that a
//!   listener's filter drops looks to the client like a server that is not there.
//! - **Lifetime**: an accepted socket inherits the listener's filter, as a reference of its own: taking it off the listener
//!   leaves it on what was accepted before.
//!
//! Kernel: `tcp_filter()`, `net/ipv4/tcp_ipv4.c`; the inheritance is in `sk_clone_lock()`, `net/core/sock.c`.

use super::{Hook, SOCKET};
use crate::sys::socket::{Kind, SOCK_STREAM};

/// A connection of one's own.
pub const CLIENT: Hook = Hook {
    name: "tcp",
    target: "--connect HOST:PORT",
    byte0: "TCP header",
    returns: "bytes to keep, never less than the TCP header; 0 drops. What is dropped or cut off is sent again",
    kernel: "tcp_filter(), net/ipv4/tcp_ipv4.c",
    ..SOCKET
};

/// A listener, and what it accepts.
pub const LISTENER: Hook = Hook {
    name: "tcp-listener",
    target: "--listen HOST:PORT",
    privileges: "none; ports below 1024: CAP_NET_BIND_SERVICE",
    ..CLIENT
};

/// The socket, before it is connected or bound.
pub const fn kind(is_v6: bool) -> Kind {
    Kind::inet(is_v6, SOCK_STREAM, libc::IPPROTO_TCP)
}
