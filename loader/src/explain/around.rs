//! The calls around the steps of a load, as [`Call`]s: the attach, and what is asked of the kernel.

use std::mem::size_of;

use super::fields::{bpf, constant, number, pointed};
use super::{Call, Fd, Field};
use crate::sys::attr::{EnableStatsAttr, MapElemAttr, ObjInfoAttr, ProgInfo};
use crate::sys::map_batch::MapBatchAttr;
use crate::sys::test_run::TestRunAttr;

/// `setsockopt(SO_ATTACH_BPF)`.
pub fn attach(socket: Fd, program: &Fd, why: impl Into<String>) -> Call {
    socket_option(socket, "SO_ATTACH_BPF", program.to_string(), why)
}

/// `setsockopt(SO_DETACH_BPF)`. strace knows the number by its older name.
pub fn detach(socket: Fd, why: impl Into<String>) -> Call {
    socket_option(socket, "SO_DETACH_FILTER", "0".to_owned(), why)
}

fn socket_option(socket: Fd, option: &str, value: String, why: impl Into<String>) -> Call {
    let fields = vec![
        ("fd", Field::Fd(socket)),
        ("level", constant("SOL_SOCKET")),
        ("optname", constant(option)),
        ("optval", constant(format!("[{value}]"))),
        ("optlen", number(4u32)),
    ];
    Call { syscall: "setsockopt", command: None, fields, size: None, why: why.into() }
}

/// `bpf(BPF_OBJ_GET_INFO_BY_FD)`, of a struct of `len` bytes.
pub fn object_info(object: Fd, len: usize, why: impl Into<String>) -> Call {
    let fields = vec![("bpf_fd", Field::Fd(object)), ("info_len", number(len as u64)), ("info", constant("..."))];
    bpf("BPF_OBJ_GET_INFO_BY_FD", size_of::<ObjInfoAttr>(), fields, why)
}

/// `bpf(BPF_ENABLE_STATS)`.
pub fn enable_stats() -> Call {
    let fields = vec![("type", constant("BPF_STATS_RUN_TIME"))];
    bpf(
        "BPF_ENABLE_STATS",
        size_of::<EnableStatsAttr>(),
        fields,
        "count and time every run, while this descriptor is open",
    )
}

/// `bpf(BPF_MAP_GET_NEXT_KEY)`.
pub fn map_next_key(map: Fd, key: Option<&[u8]>) -> Call {
    let key = key.map_or(Field::Null, |key| Field::Bytes(key.to_vec()));
    let fields = vec![("map_fd", Field::Fd(map)), ("key", key), ("next_key", constant("..."))];
    bpf("BPF_MAP_GET_NEXT_KEY", size_of::<MapElemAttr>(), fields, "walk the map")
}

/// `bpf(BPF_MAP_LOOKUP_ELEM)`.
pub fn map_lookup(map: Fd, key: &[u8]) -> Call {
    let fields = vec![
        ("map_fd", Field::Fd(map)),
        ("key", Field::Bytes(key.to_vec())),
        ("value", constant("...")),
        ("flags", constant("BPF_ANY")),
    ];
    bpf("BPF_MAP_LOOKUP_ELEM", size_of::<MapElemAttr>(), fields, "read a value")
}

/// `bpf(BPF_MAP_LOOKUP_BATCH)` from where the last call ended, with `count` as it is after the call.
pub fn map_lookup_batch(map: Fd, from: Option<&[u8]>, room: u32, count: u32) -> Call {
    let fields = vec![
        ("in_batch", if from.is_some() { constant("...") } else { Field::Null }),
        ("out_batch", constant("...")),
        ("keys", constant("...")),
        ("values", constant("...")),
        ("count", number(count)),
        ("map_fd", Field::Fd(map)),
        ("elem_flags", constant("BPF_ANY")),
        ("flags", number(0u32)),
    ];
    bpf(
        "BPF_MAP_LOOKUP_BATCH",
        size_of::<MapBatchAttr>(),
        fields,
        format!("read many elements at once: there is room for {room}"),
    )
}

/// `bpf(BPF_PROG_TEST_RUN)`, with what the kernel wrote back: what the program returned, and the mean nanoseconds of a run.
pub fn prog_test_run(program: Fd, packet: &[u8], repeat: u32, (ret, mean_ns): (u32, u32)) -> Call {
    let fields = vec![
        ("prog_fd", Field::Fd(program)),
        ("retval", number(ret)),
        ("data_size_in", number(packet.len() as u64)),
        ("data_size_out", number(0u32)),
        ("data_in", pointed(packet.to_vec())),
        ("data_out", Field::Null),
        ("repeat", number(repeat)),
        ("duration", number(mean_ns)),
        ("ctx_size_in", number(0u32)),
        ("ctx_size_out", number(0u32)),
        ("ctx_in", Field::Null),
        ("ctx_out", Field::Null),
        ("flags", number(0u32)),
        ("cpu", number(0u32)),
        ("batch_size", number(0u32)),
    ];
    bpf("BPF_PROG_TEST_RUN", size_of::<TestRunAttr>(), fields, "byte 0 is the network header; nothing is trimmed")
}

/// Bytes of the info struct of a program.
pub const PROG_INFO_SIZE: usize = size_of::<ProgInfo>();
