//! The places that take a socket filter: one file each, and a table of them all.
//!
//! Start with [`socket`]: the other sockets differ from it in what byte 0 is.

pub mod fanout;
pub mod foreign;
pub mod packet;
pub mod raw;
pub mod reuseport;
pub mod socket;
pub mod tcp;
pub mod tun;
pub mod udp;
pub mod unix;

use serde::Serialize;

/// A place that takes a socket filter, and what a filter has to know there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// `tcp`: its word in JSON.
    #[serde(rename = "hook")]
    pub name: &'static str,
    /// The arguments of `load` and `attach`; empty where minibpf leaves it out.
    pub target: &'static str,
    /// The system call that attaches.
    pub call: &'static str,
    /// What byte 0 of a packet is.
    pub byte0: &'static str,
    /// What the return value does.
    pub returns: &'static str,
    /// What the process needs, beside a loaded program.
    pub privileges: &'static str,
    /// The system call that takes the program off again.
    pub detach: &'static str,
    /// The first kernel that has it.
    pub since: &'static str,
    /// The kernel's function, and its file.
    pub kernel: &'static str,
    /// Why minibpf leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<&'static str>,
}

/// What every hook by `SO_ATTACH_BPF` has in common.
const SOCKET: Hook = Hook {
    name: "socket",
    target: "",
    call: "setsockopt(SO_ATTACH_BPF)",
    byte0: "",
    returns: "",
    privileges: "none",
    detach: "setsockopt(SO_DETACH_BPF)",
    since: "3.19",
    kernel: "",
    left_out: None,
};

/// Every hook that a kernel has for socket filters, those that minibpf leaves out last.
pub const ALL: [&Hook; 17] = [
    &tcp::CLIENT,
    &tcp::LISTENER,
    &udp::HOOK,
    &unix::DATAGRAM,
    &unix::STREAM,
    &raw::V4,
    &raw::V6,
    &packet::RAW,
    &packet::COOKED,
    &foreign::HOOK,
    &reuseport::HOOK,
    &fanout::HOOK,
    &tun::FILTER,
    &tun::STEERING,
    &KCM,
    &XT_BPF,
    &TRACED,
];

/// Kernel connection multiplexor: a filter tells where a message ends.
const KCM: Hook = Hook {
    name: "kcm",
    call: "ioctl(SIOCKCMATTACH)",
    byte0: "TCP payload",
    returns: "how long the message is; 0: more bytes are needed to tell; less than 0: an error",
    detach: "ioctl(SIOCKCMUNATTACH)",
    since: "4.6",
    kernel: "kcm_parse_func_strparser(), net/kcm/kcmsock.c",
    left_out: Some("few kernels are built with it (CONFIG_AF_KCM), and what it attaches is a parser, not a filter"),
    ..SOCKET
};

/// iptables' `-m bpf --object-pinned PATH`.
const XT_BPF: Hook = Hook {
    name: "xt_bpf",
    call: "setsockopt(IPT_SO_SET_REPLACE), with the path of a pin or a descriptor",
    byte0: "network header",
    returns: "0: the rule does not match; anything else: it does",
    privileges: "CAP_NET_ADMIN",
    detach: "iptables -D",
    since: "4.10",
    kernel: "bpf_mt_v1(), net/netfilter/xt_bpf.c",
    left_out: Some("iptables attaches it: minibpf check --pin DIR makes the pin that --object-pinned takes"),
    ..SOCKET
};

/// A program on another program.
const TRACED: Hook = Hook {
    name: "fentry, fexit, freplace",
    call: "bpf(BPF_RAW_TRACEPOINT_OPEN) of a tracing program whose target is the socket filter",
    byte0: "as where the socket filter is attached",
    returns: "freplace: that of the function that it replaces",
    privileges: "CAP_BPF and CAP_PERFMON",
    detach: "closing the link",
    since: "5.5",
    kernel: "bpf_tracing_prog_attach(), kernel/bpf/syscall.c",
    left_out: Some("there the socket filter is what is traced, and a program of another type does it"),
    ..SOCKET
};
