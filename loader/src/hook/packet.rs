//! `AF_PACKET`: a filter on a copy of everything that passes an interface, in both directions.
//!
//! - **Call**: `SO_ATTACH_BPF` (see [`super::socket`]) on a socket that was opened with protocol 0, which gets nothing; then
//!   bind(2) names interface and protocol, and the first packet finds the filter in place. Opened with a protocol, as many
//!   programs do, the socket has packets of all interfaces in its queue before there is a filter.
//! - **Byte 0**: `SOCK_RAW`: the link's header, Ethernet as a rule. `SOCK_DGRAM` (`--cooked`): the network header.
//! - **Return value**: the snap length: how many bytes of the copy the reader gets. 0: none of it. The packet itself goes its
//!   way: a filter here stops nothing.
//! - **Lifetime**: until the socket is closed or the filter detached.
//!
//! What the machine sends is seen as well (`pkt_type` 4, `PACKET_OUTGOING`), so the loopback interface shows each packet twice.
//!
//! Kernel: `packet_rcv()` and `run_filter()`, `net/packet/af_packet.c`.

use std::os::fd::AsFd;

use super::{Hook, SOCKET};
use crate::sys::SysError;
use crate::sys::socket::{AF_PACKET, Kind, SOCK_DGRAM, SOCK_RAW, bind_to_interface};

/// With the link's header.
pub const RAW: Hook = Hook {
    name: "packet",
    target: "--packet IFACE",
    byte0: "Ethernet header",
    returns: "bytes of the copy to keep; 0 drops the copy",
    privileges: "CAP_NET_RAW",
    kernel: "packet_rcv(), net/packet/af_packet.c",
    ..SOCKET
};

/// Without it.
pub const COOKED: Hook =
    Hook { name: "packet-cooked", target: "--packet IFACE --cooked", byte0: "network header", ..RAW };

/// The socket: of protocol 0, so that nothing reaches it before it is bound.
pub const fn kind(is_cooked: bool) -> Kind {
    Kind { family: AF_PACKET, kind: if is_cooked { SOCK_DGRAM } else { SOCK_RAW }, protocol: 0 }
}

/// Opens the interface of this number to a socket that has its filter already.
///
/// # Errors
///
/// See [`bind_to_interface`].
pub fn bind(socket: impl AsFd, index: u32) -> Result<(), SysError> {
    bind_to_interface(socket, index)
}
