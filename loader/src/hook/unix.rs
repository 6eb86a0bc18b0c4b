//! UNIX sockets: a filter on datagrams; and one on a stream, which never runs.
//!
//! - **Call**: `SO_ATTACH_BPF` (see [`super::socket`]).
//! - **Byte 0**: the payload. There are no headers.
//! - **Return value**: 0 drops the datagram, and the sender is told nothing. Less than `skb->len` cuts its end off.
//! - **Streams**: a stream socket takes the filter as readily (setsockopt returns 0), but `unix_stream_sendmsg()` puts what was
//!   sent straight into the peer's queue. Only the datagram path asks the filter.
//!
//! Kernel: `unix_dgram_sendmsg()`, `net/unix/af_unix.c`, on behalf of the receiver.

use super::{Hook, SOCKET};
use crate::sys::socket::{AF_UNIX, Kind, SOCK_DGRAM, SOCK_STREAM};

/// A datagram socket.
pub const DATAGRAM: Hook = Hook {
    name: "unixgram",
    target: "--connect unixgram:PATH, --listen unixgram:PATH",
    byte0: "payload",
    returns: "bytes to keep; 0 drops",
    kernel: "unix_dgram_sendmsg(), net/unix/af_unix.c",
    ..SOCKET
};

/// A stream socket.
pub const STREAM: Hook = Hook {
    name: "unix",
    target: "--connect unix:PATH",
    byte0: "payload, if it ran",
    returns: "nothing: the filter never runs",
    kernel: "unix_stream_sendmsg(), net/unix/af_unix.c",
    ..SOCKET
};

/// The socket of a hook, before it is connected or bound.
pub const fn kind(is_stream: bool) -> Kind {
    Kind { family: AF_UNIX, kind: if is_stream { SOCK_STREAM } else { SOCK_DGRAM }, protocol: 0 }
}
