//! SO_ATTACH_BPF: a filter on a socket's way in.
//!
//! - **Call**: `setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd, 4)`.
//! - **When it runs**: for each packet that the socket is about to receive. What the socket sends does not pass it.
//! - **Byte 0**: depends on the socket. On TCP the TCP header, on UDP the UDP header.
//! - **Return value**: how many bytes to keep. 0 drops the packet; less than `skb->len` trims it, on TCP to no less than
//!   its header. TCP takes a trimmed or dropped segment as lost: the peer sends it again, and gets no further.
//! - **Lifetime**: the socket holds a reference to the program until it is closed, the filter is detached, or another
//!   one takes its place. Closing the program's descriptor detaches nothing.
//!
//! Kernel: `sk_attach_bpf()` and `sk_filter_trim_cap()`, `net/core/filter.c`; `tcp_filter()`, `net/ipv4/tcp_ipv4.c`.
//! Since 3.19.

use std::os::fd::AsFd;

use crate::sys::{SysError, sockopt};

/// Attaches a program to a socket, in place of a filter that is there.
///
/// # Errors
///
/// See [`sockopt::attach_bpf`].
pub fn attach(socket: impl AsFd, program: impl AsFd) -> Result<(), SysError> {
    sockopt::attach_bpf(socket, program)
}

/// Takes the filter off a socket.
///
/// # Errors
///
/// See [`sockopt::detach_bpf`].
pub fn detach(socket: impl AsFd) -> Result<(), SysError> {
    sockopt::detach_bpf(socket)
}
