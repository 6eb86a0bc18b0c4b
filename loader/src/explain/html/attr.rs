//! Where each field of a `union bpf_attr` lies, and the numbers behind the names of its constants.
//!
//! Source: `include/uapi/linux/bpf.h`. A test holds the offsets against the structs that are passed to the kernel.

use serde_json::{Map, Value as Json, json};

use crate::uapi::names;

/// A field: its name, where it begins, and its size, in bytes.
type Field = (&'static str, usize, usize);

/// The fields of each command, by offset.
pub(super) const LAYOUTS: [(&str, &[Field]); 7] = [
    ("BPF_MAP_CREATE", &MAP_CREATE),
    ("BPF_MAP_UPDATE_ELEM", &[("map_fd", 0, 4), ("key", 8, 8), ("value", 16, 8), ("flags", 24, 8)]),
    ("BPF_MAP_FREEZE", &[("map_fd", 0, 4)]),
    ("BPF_PROG_LOAD", &PROG_LOAD),
    ("BPF_OBJ_PIN", &[("pathname", 0, 8), ("bpf_fd", 8, 4), ("file_flags", 12, 4)]),
    ("BPF_OBJ_GET", &[("pathname", 0, 8), ("bpf_fd", 8, 4), ("file_flags", 12, 4)]),
    ("BPF_BTF_LOAD", &BTF_LOAD),
];

const MAP_CREATE: [Field; 13] = [
    ("map_type", 0, 4),
    ("key_size", 4, 4),
    ("value_size", 8, 4),
    ("max_entries", 12, 4),
    ("map_flags", 16, 4),
    ("inner_map_fd", 20, 4),
    ("map_name", 28, 16),
    ("map_ifindex", 44, 4),
    ("btf_fd", 48, 4),
    ("btf_key_type_id", 52, 4),
    ("btf_value_type_id", 56, 4),
    ("btf_vmlinux_value_type_id", 60, 4),
    ("map_extra", 64, 8),
];

const PROG_LOAD: [Field; 22] = [
    ("prog_type", 0, 4),
    ("insn_cnt", 4, 4),
    ("insns", 8, 8),
    ("license", 16, 8),
    ("log_level", 24, 4),
    ("log_size", 28, 4),
    ("log_buf", 32, 8),
    ("kern_version", 40, 4),
    ("prog_flags", 44, 4),
    ("prog_name", 48, 16),
    ("prog_ifindex", 64, 4),
    ("expected_attach_type", 68, 4),
    ("prog_btf_fd", 72, 4),
    ("func_info_rec_size", 76, 4),
    ("func_info", 80, 8),
    ("func_info_cnt", 88, 4),
    ("line_info_rec_size", 92, 4),
    ("line_info", 96, 8),
    ("line_info_cnt", 104, 4),
    ("attach_btf_id", 108, 4),
    ("attach_prog_fd", 112, 4),
    ("fd_array", 120, 8),
];

const BTF_LOAD: [Field; 5] =
    [("btf", 0, 8), ("btf_log_buf", 8, 8), ("btf_size", 16, 4), ("btf_log_size", 20, 4), ("btf_log_level", 24, 4)];

/// The other constants that a planned call has: their names and numbers.
const CONSTANTS: [(&str, u64); 3] =
    [("BPF_PROG_TYPE_SOCKET_FILTER", 1), ("BPF_ANY", 0), ("BPF_CGROUP_INET_INGRESS", 0)];

/// More types and flags than any kernel has.
const TYPES: u32 = 64;
const FLAG_BITS: u32 = 32;

/// `{ layouts: { BPF_MAP_CREATE: [[field, offset, size], …], … }, numbers: { BPF_MAP_TYPE_HASH: 1, … } }`.
pub(super) fn json() -> Json {
    let layouts: Map<_, _> = LAYOUTS.iter().map(|(call, fields)| ((*call).to_owned(), json!(fields))).collect();
    let types = (0..TYPES).map(|number| (names::map_type(number), u64::from(number)));
    let flags = (0..FLAG_BITS).map(|bit| (names::map_flags(1 << bit), 1u64 << bit));
    let constants = CONSTANTS.iter().map(|(name, number)| ((*name).to_owned(), *number));
    let named = types.chain(flags).chain(constants).filter(|(name, _)| name.starts_with("BPF_"));
    let numbers: Map<_, _> = named.map(|(name, number)| (name, json!(number))).collect();
    json!({ "layouts": layouts, "numbers": numbers })
}
