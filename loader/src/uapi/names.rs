//! Names of the kernel's numbers.

/// `enum bpf_map_type` without `BPF_MAP_TYPE_`, by number. Source: `include/uapi/linux/bpf.h`.
const MAP_TYPES: [&str; 34] = [
    "UNSPEC",
    "HASH",
    "ARRAY",
    "PROG_ARRAY",
    "PERF_EVENT_ARRAY",
    "PERCPU_HASH",
    "PERCPU_ARRAY",
    "STACK_TRACE",
    "CGROUP_ARRAY",
    "LRU_HASH",
    "LRU_PERCPU_HASH",
    "LPM_TRIE",
    "ARRAY_OF_MAPS",
    "HASH_OF_MAPS",
    "DEVMAP",
    "SOCKMAP",
    "CPUMAP",
    "XSKMAP",
    "SOCKHASH",
    "CGROUP_STORAGE",
    "REUSEPORT_SOCKARRAY",
    "PERCPU_CGROUP_STORAGE",
    "QUEUE",
    "STACK",
    "SK_STORAGE",
    "DEVMAP_HASH",
    "STRUCT_OPS",
    "RINGBUF",
    "INODE_STORAGE",
    "TASK_STORAGE",
    "BLOOM_FILTER",
    "USER_RINGBUF",
    "CGRP_STORAGE",
    "ARENA",
];

/// `enum bpf_prog_type` in bpftool's words, by number. Source: `include/uapi/linux/bpf.h`.
const PROG_TYPES: [&str; 33] = [
    "unspec",
    "socket_filter",
    "kprobe",
    "sched_cls",
    "sched_act",
    "tracepoint",
    "xdp",
    "perf_event",
    "cgroup_skb",
    "cgroup_sock",
    "lwt_in",
    "lwt_out",
    "lwt_xmit",
    "sock_ops",
    "sk_skb",
    "cgroup_device",
    "sk_msg",
    "raw_tracepoint",
    "cgroup_sock_addr",
    "lwt_seg6local",
    "lirc_mode2",
    "sk_reuseport",
    "flow_dissector",
    "cgroup_sysctl",
    "raw_tracepoint_writable",
    "cgroup_sockopt",
    "tracing",
    "struct_ops",
    "ext",
    "lsm",
    "sk_lookup",
    "syscall",
    "netfilter",
];

/// `BPF_F_*` of `BPF_MAP_CREATE`, by bit. Source: `include/uapi/linux/bpf.h`.
const MAP_FLAGS: [&str; 14] = [
    "BPF_F_NO_PREALLOC",
    "BPF_F_NO_COMMON_LRU",
    "BPF_F_NUMA_NODE",
    "BPF_F_RDONLY",
    "BPF_F_WRONLY",
    "BPF_F_STACK_BUILD_ID",
    "BPF_F_ZERO_SEED",
    "BPF_F_RDONLY_PROG",
    "BPF_F_WRONLY_PROG",
    "BPF_F_CLONE",
    "BPF_F_MMAPABLE",
    "BPF_F_PRESERVE_ELEMS",
    "BPF_F_INNER_MAP",
    "BPF_F_LINK",
];

/// `BPF_MAP_TYPE_HASH`; a number that is not known stays one.
pub fn map_type(number: u32) -> String {
    match MAP_TYPES.get(number as usize) {
        Some(name) => format!("BPF_MAP_TYPE_{name}"),
        None => format!("{number:#x}"),
    }
}

/// `hash`, as bpftool writes it.
pub fn map_type_short(number: u32) -> String {
    MAP_TYPES.get(number as usize).map_or_else(|| format!("type {number}"), |name| name.to_ascii_lowercase())
}

/// `socket_filter`, as bpftool writes it.
pub fn prog_type(number: u32) -> String {
    PROG_TYPES.get(number as usize).map_or_else(|| format!("type {number}"), |name| (*name).to_owned())
}

/// `BPF_F_RDONLY_PROG|BPF_F_MMAPABLE`, or `0`.
pub fn map_flags(flags: u32) -> String {
    let known =
        MAP_FLAGS.iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, name)| (*name).to_owned());
    let unknown = flags >> MAP_FLAGS.len() << MAP_FLAGS.len();
    let names: Vec<_> = known.chain((unknown != 0).then(|| format!("{unknown:#x}"))).collect();
    if names.is_empty() { "0".to_owned() } else { names.join("|") }
}
