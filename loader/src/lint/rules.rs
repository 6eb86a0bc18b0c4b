//! The rules, one table: what each says of every place where it is met.

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub id: &'static str,
    /// Whether the kernel refuses what it is about, so that an object that loads never meets it.
    pub is_refused: bool,
    /// Why that goes wrong.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// Where the book explains it.
    pub see: &'static str,
}

/// A field of the context that a socket filter may not read.
///
/// Kernel: `sk_filter_is_valid_access()`, `net/core/filter.c`.
pub(super) const CONTEXT_READ: &Rule = &Rule {
    id: "ctx-read",
    is_refused: true,
    why: "this field of struct __sk_buff is not for socket filters: \"invalid bpf_context access\"",
    mend: "take it from the packet: bpf_skb_load_bytes(skb, offset, to, len)",
    see: "docs/ch13-reading-packets.md",
};

/// A field of the context that a socket filter may not write.
pub(super) const CONTEXT_WRITE: &Rule = &Rule {
    id: "ctx-write",
    is_refused: true,
    why: "a socket filter may write cb[0] to cb[4] of its context and nothing else: \"invalid bpf_context access\"",
    mend: "keep it in a map, or in a variable",
    see: "docs/ch13-reading-packets.md",
};

/// A helper of other types of program.
pub(super) const HELPER_TYPE: &Rule = &Rule {
    id: "helper-type",
    is_refused: true,
    why: "this helper is not for socket filters: \"program of this type cannot use helper\"",
    mend: "do without it: a socket filter reads packets and keeps or drops them, it cannot change or redirect them",
    see: "docs/verifier.md#helper-type",
};

/// A GPL-only helper without such a licence.
///
/// Kernel: `check_helper_call()`, `kernel/bpf/verifier.c`; `license_is_gpl_compatible()`, `include/linux/license.h`.
pub(super) const HELPER_LICENSE: &Rule = &Rule {
    id: "helper-license",
    is_refused: true,
    why: "this helper is for GPL-compatible programs only: \"cannot call GPL-restricted function\"",
    mend: "char _license[] SEC(\"license\") = \"GPL\"; or \"Dual MIT/GPL\", \"Dual BSD/GPL\" …, if that is the licence",
    see: "docs/ch03-sections-and-symbols.md",
};

/// A constant that is taken for a verdict and is a length.
///
/// Kernel: `sk_filter_trim_cap()`, `net/core/filter.c`; `tcp_filter()`, `net/ipv4/tcp_ipv4.c`.
pub(super) const SHORT_RETURN: &Rule = &Rule {
    id: "short-return",
    is_refused: false,
    why: "the value is how many bytes to keep, not yes or no: no more than a TCP header cuts off every payload, and the connection stalls",
    mend: "return skb->len to keep the packet, 0 to drop it",
    see: "docs/ch12-what-return-means.md",
};

/// A negative constant, as if it were an errno.
///
/// Kernel: `sk_filter_trim_cap()`, `net/core/filter.c`: `pkt_len` is an unsigned int, and a packet is trimmed to no more than it has.
pub(super) const NEGATIVE_RETURN: &Rule = &Rule {
    id: "negative-return",
    is_refused: false,
    why: "the value is how many bytes to keep, without a sign: a negative one is more than any packet has, and no error",
    mend: "return 0 to drop the packet; to keep it, return skb->len, which says so",
    see: "docs/ch12-what-return-means.md",
};

/// A constant on a TCP socket. Only `load` knows the socket.
///
/// Kernel: `tcp_filter()`, `net/ipv4/tcp_ipv4.c`.
pub(super) const TCP_TRIM: &Rule = &Rule {
    id: "tcp-trim",
    is_refused: false,
    why: "a segment may have 64 KiB: of a longer one TCP takes the end for lost, and the connection stalls",
    mend: "return skb->len to keep the segment, 0 to drop it",
    see: "docs/ch12-what-return-means.md",
};

/// A filter for `AF_PACKET` on another socket. Only `load` knows the socket.
///
/// Kernel: `sk_filter_trim_cap()`, `net/core/filter.c`: what skb->data points to when each protocol calls it.
pub(super) const ETHERNET_OFFSET: &Rule = &Rule {
    id: "ethernet-offset",
    is_refused: false,
    why: "there is no Ethernet header before it: what the filter looks for is never there",
    mend: "count from byte 0 of this socket; skb->protocol has the EtherType, and bpf_skb_load_bytes_relative(skb, offset, to, len, BPF_HDR_START_NET) counts from the IP header",
    see: "docs/ch11-where-is-byte-0.md",
};

/// A global of `-fcommon`.
pub(super) const COMMON_SYMBOL: &Rule = &Rule {
    id: "common-symbol",
    is_refused: false,
    why: "it lies in no section, so no map can hold it: no loader takes a program that uses it",
    mend: "initialise it, or compile without -fcommon",
    see: "docs/ch15-global-data.md",
};

/// A map that is local to its file.
pub(super) const STATIC_MAP: &Rule = &Rule {
    id: "static-map",
    is_refused: false,
    why: "minibpf loads it, but libbpf and cilium/ebpf refuse the object, and aya may take another map for it",
    mend: "leave out `static`",
    see: "docs/ch06-patching-the-hole.md",
};

/// A map whose numbers its type does not allow.
///
/// Kernel: the functions that [`super::maps`] names.
pub(super) const MAP_ATTR: &Rule = &Rule {
    id: "map-attr",
    is_refused: true,
    why: "no kernel creates such a map, and BPF_MAP_CREATE does not say what is wrong with it",
    mend: "see the map's definition",
    see: "docs/ch04-map-definition.md",
};

/// No types.
pub(super) const NO_TYPES: &Rule = &Rule {
    id: "no-types",
    is_refused: false,
    why: "definitions of maps, names of globals and source lines in the verifier's log are missing with them",
    mend: "compile with -g",
    see: "docs/ch04-map-definition.md",
};

/// Made for the other byte order.
pub(super) const BIG_ENDIAN: &Rule = &Rule {
    id: "big-endian",
    is_refused: false,
    why: "it runs on big-endian machines only",
    mend: "compile with --target=bpf, which takes the byte order of the machine, or --target=bpfel",
    see: "docs/ch02-eight-bytes.md",
};

/// More than a socket takes.
///
/// Kernel: `__sk_filter_charge()`, `net/core/filter.c`.
pub(super) const TOO_LARGE: &Rule = &Rule {
    id: "too-large",
    is_refused: false,
    why: "it may load, but one socket holds no more than net.core.optmem_max: attaching it ends with ENOMEM",
    mend: "sudo sysctl net.core.optmem_max=BYTES, or a smaller program: fewer unrolled loops and inlined functions",
    see: "docs/ch10-attach.md",
};

/// All of them.
pub const RULES: [&Rule; 14] = [
    CONTEXT_READ,
    CONTEXT_WRITE,
    HELPER_TYPE,
    HELPER_LICENSE,
    SHORT_RETURN,
    NEGATIVE_RETURN,
    TCP_TRIM,
    ETHERNET_OFFSET,
    COMMON_SYMBOL,
    STATIC_MAP,
    MAP_ATTR,
    NO_TYPES,
    BIG_ENDIAN,
    TOO_LARGE,
];
