//! `PACKET_FANOUT`: a program tells which packet socket of a group gets the copy of a packet.
//!
//! - **Call**: open with protocol 0, bind, join (`setsockopt(SOL_PACKET, PACKET_FANOUT, id | PACKET_FANOUT_EBPF << 16)`), then
//!   `PACKET_FANOUT_DATA` with the program. Until it is there, the first socket gets everything.
//! - **Byte 0**: unlike on a packet socket of its own, the program is asked before the link's header is pushed back: it finds
//!   the network header in what comes in, the Ethernet header in what goes out.
//! - **Return value**: the index of the socket, modulo the number of sockets. Nothing is dropped or trimmed.
//! - **Lifetime**: the group holds the program, and is gone with its last socket. There is no call that takes it off; another
//!   program takes its place.
//!
//! Kernel: `fanout_demux_bpf()` and `packet_rcv_fanout()`, `net/packet/af_packet.c`.

use super::{Hook, SOCKET};

/// A group of packet sockets.
pub const HOOK: Hook = Hook {
    name: "fanout",
    target: "--attach fanout:IFACE:GROUP",
    call: "setsockopt(PACKET_FANOUT), then setsockopt(PACKET_FANOUT_DATA)",
    byte0: "network header of what comes in, Ethernet header of what goes out",
    returns: "index of the socket in its group, modulo the number of sockets",
    privileges: "CAP_NET_RAW",
    detach: "closing the group's sockets",
    since: "4.3",
    kernel: "fanout_demux_bpf(), net/packet/af_packet.c",
    ..SOCKET
};

pub use crate::sys::group::{join_fanout, set_fanout_program};
