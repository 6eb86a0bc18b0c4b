//! Raw IP sockets: a filter on a copy of every packet of one protocol.
//!
//! - **Call**: `SO_ATTACH_BPF` (see [`super::socket`]). A raw socket receives from socket(2) on: what came before the filter
//!   was attached is in its queue, and is to be thrown away.
//! - **Byte 0**: on IPv4 the IP header; on IPv6 the header after it, as readers of the two see it, too.
//! - **Return value**: 0 drops the copy, less than `skb->len` cuts it. The packet itself goes its way: ping still works.
//! - **Lifetime**: until the socket is closed or the filter detached.
//!
//! Kernel: `raw_rcv()`, `net/ipv4/raw.c`, which pushes the IP header back before it asks the filter; `rawv6_rcv()`,
//! `net/ipv6/raw.c`, which does not.

use super::{Hook, SOCKET};
use crate::sys::socket::{Kind, SOCK_RAW};

/// IPv4.
pub const V4: Hook = Hook {
    name: "raw",
    target: "--listen raw:PROTO[@HOST]",
    byte0: "IP header",
    returns: "bytes of the copy to keep; 0 drops the copy",
    privileges: "CAP_NET_RAW",
    kernel: "raw_rcv(), net/ipv4/raw.c",
    ..SOCKET
};

/// IPv6.
pub const V6: Hook = Hook {
    name: "raw6",
    target: "--listen raw:ipv6-icmp, --listen raw:PROTO@V6",
    byte0: "header after the IPv6 header",
    kernel: "rawv6_rcv(), net/ipv6/raw.c",
    ..V4
};

/// The socket. `protocol` is IP's number.
pub const fn kind(is_v6: bool, protocol: u8) -> Kind {
    Kind::inet(is_v6, SOCK_RAW, protocol as i32)
}
