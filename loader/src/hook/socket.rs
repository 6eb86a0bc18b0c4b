//! `SO_ATTACH_BPF`: a filter on a socket's way in.
//!
//! - **Call**: `setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd, 4)`.
//! - **When it runs**: for each packet that the socket is about to receive. What the socket sends does not pass it.
//! - **Byte 0**: depends on the socket. On TCP the TCP header, on UDP the UDP header.
//! - **Return value**: how many bytes to keep. 0 drops the packet; less than `skb->len` trims it, on TCP to no less than
//!   its header. What was cut off TCP takes for lost: the peer sends it again and again, and gets no further, or only by the few
//!   bytes that were let through.
//! - **Lifetime**: the socket holds a reference to the program until it is closed, the filter is detached, or another
//!   one takes its place. Closing the program's descriptor detaches nothing.
//!
//! Kernel: `sk_attach_bpf()` and `sk_filter_trim_cap()`, `net/core/filter.c`; `tcp_filter()`, `net/ipv4/tcp_ipv4.c`.
//! Since 3.19.

use std::os::fd::AsFd;

use crate::kernel::Program;
use crate::sys::{SysError, sockopt};

impl Program {
    /// Attaches it to a socket: from here on each packet that the socket receives goes through it. The socket keeps the
    /// program alive, even after `self` is dropped. A filter that was there is replaced.
    ///
    /// ```ignore (needs CAP_BPF)
    /// # const OBJECT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bpf/pass.bpf.o"));
    /// let filter = minibpf::filter::Filter::load(OBJECT, "pass")?;
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// filter.program().attach(&stream)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - `ENOMEM`: larger than `net.core.optmem_max` allows one socket.
    /// - `EPERM`: the socket's filter is locked.
    ///
    /// Kernel: `sk_attach_bpf()`, `net/core/filter.c`. Since 3.19.
    pub fn attach(&self, socket: &impl AsFd) -> Result<(), SysError> {
        attach(socket, self)
    }

    /// Takes the filter off a socket, this one or whichever is there.
    ///
    /// # Errors
    ///
    /// - `ENOENT`: there is none.
    /// - `EPERM`: it is locked.
    pub fn detach(&self, socket: &impl AsFd) -> Result<(), SysError> {
        detach(socket)
    }
}

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
