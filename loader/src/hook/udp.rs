//! UDP: a filter on the datagrams that a socket is about to receive.
//!
//! - **Call**: `SO_ATTACH_BPF` (see [`super::socket`]) between socket(2) and bind(2) or connect(2).
//! - **Byte 0**: the UDP header, 8 bytes, with IPv6 too. `skb->len` counts it.
//! - **Return value**: 0 drops the datagram, and nobody hears of it but the socket's drop counter. Less than `skb->len` cuts its
//!   end off, never the header: the reader gets a shorter datagram.
//! - **Lifetime**: until the socket is closed or the filter detached.
//!
//! Kernel: `udp_queue_rcv_one_skb()`, `net/ipv4/udp.c`, and its twin in `net/ipv6/udp.c`.

use super::{Hook, SOCKET};
use crate::sys::socket::{Kind, SOCK_DGRAM};

/// A UDP socket, bound or connected.
pub const HOOK: Hook = Hook {
    name: "udp",
    target: "--connect udp:HOST:PORT, --listen udp:HOST:PORT",
    byte0: "UDP header",
    returns: "bytes to keep, never less than the 8 of the UDP header; 0 drops",
    kernel: "udp_queue_rcv_one_skb(), net/ipv4/udp.c",
    ..SOCKET
};

/// The socket, before it is connected or bound.
pub const fn kind(is_v6: bool) -> Kind {
    Kind::inet(is_v6, SOCK_DGRAM, libc::IPPROTO_UDP)
}
