//! tun and tap: a filter on what the machine sends into a device that a process reads, and a program that chooses the queue.
//!
//! - **Call**: `ioctl(queue, TUNSETFILTEREBPF, &prog_fd)`, `ioctl(queue, TUNSETSTEERINGEBPF, &prog_fd)`, on a descriptor of
//!   /dev/net/tun that TUNSETIFF has attached to the device. Whoever holds one may; to get one takes `CAP_NET_ADMIN`.
//! - **Byte 0**: of a tap device the Ethernet header, of a tun device the IP header.
//! - **Return value**: of the filter, how many bytes of the frame the reader gets; 0 drops it. Of the steering program, the queue,
//!   modulo the number of queues.
//! - **Lifetime**: the device holds the program, a persistent one even when nobody reads it. -1 takes it off; that nothing was there
//!   is not told.
//!
//! Kernel: `tun_net_xmit()`, `run_ebpf_filter()` and `tun_ebpf_select_queue()`, `drivers/net/tun.c`.

use super::{Hook, SOCKET};

/// The filter.
pub const FILTER: Hook = Hook {
    name: "tun-filter",
    target: "--attach tun-filter:IFACE, tun-filter:pid:PID:FD",
    call: "ioctl(TUNSETFILTEREBPF)",
    byte0: "Ethernet header",
    returns: "bytes of the frame to keep; 0 drops it",
    privileges: "CAP_NET_ADMIN; another process's: PTRACE_MODE_ATTACH",
    detach: "ioctl(TUNSETFILTEREBPF) with -1, which never fails",
    since: "4.16",
    kernel: "tun_net_xmit(), drivers/net/tun.c",
    ..SOCKET
};

/// The program that chooses the queue.
pub const STEERING: Hook = Hook {
    name: "tun-steer",
    target: "--attach tun-steer:IFACE, tun-steer:pid:PID:FD",
    call: "ioctl(TUNSETSTEERINGEBPF)",
    returns: "index of the queue, modulo the number of queues",
    detach: "ioctl(TUNSETSTEERINGEBPF) with -1, which never fails",
    kernel: "tun_ebpf_select_queue(), drivers/net/tun.c",
    ..FILTER
};

pub use crate::sys::tun::{open_queue, set_filter, set_steering};
