//! `SO_REUSEPORT`: a program tells which socket of a group gets a datagram or a connection.
//!
//! - **Call**: each socket has `SO_REUSEPORT` set before bind(2); `setsockopt(SO_ATTACH_REUSEPORT_EBPF)` on one of them is for the
//!   group. It may come before bind(2), and then no packet is spread by the hash.
//! - **Byte 0**: the payload: the transport header is pulled off while the program runs. A SYN has no payload.
//! - **Return value**: the index of the socket, in the order in which they were bound (UDP) or began to listen (TCP). From
//!   the number of sockets on, the hash decides as if there were no program. Nothing is dropped or trimmed.
//! - **Lifetime**: the group holds the program. `SO_DETACH_BPF` does not know it; `SO_DETACH_REUSEPORT_BPF` takes it off, since 5.3.
//!
//! Kernel: `reuseport_select_sock()` and `run_bpf_filter()`, `net/core/sock_reuseport.c`.

use super::{Hook, SOCKET};

/// A group of UDP or TCP sockets.
pub const HOOK: Hook = Hook {
    name: "reuseport",
    target: "--attach reuseport:HOST:PORT, reuseport:udp:HOST:PORT, reuseport:pid:PID:FD",
    call: "setsockopt(SO_ATTACH_REUSEPORT_EBPF)",
    byte0: "payload",
    returns: "index of the socket in its group; if there is none of that index, a hash decides",
    detach: "setsockopt(SO_DETACH_REUSEPORT_BPF), since 5.3",
    privileges: "none; another process's: PTRACE_MODE_ATTACH",
    since: "4.5, TCP: 4.6",
    kernel: "reuseport_select_sock(), net/core/sock_reuseport.c",
    ..SOCKET
};

pub use crate::sys::group::{attach_reuseport, detach_reuseport};
