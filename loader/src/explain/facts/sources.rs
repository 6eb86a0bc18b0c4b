//! Where the value of each field of a system call comes from.

/// What a call is about, where that decides where its numbers stand: for a map, how it was defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Btf,
    Legacy,
    Data,
    /// The inner map that a map of maps is created with.
    Pattern,
    /// The call fills a slot of a map of maps or programs.
    Slot,
    /// A program.
    Program {
        /// Whether it is one by the name of its section, not by `--section`.
        by_name: bool,
        /// Whether the object has a section `license`.
        has_license: bool,
    },
    /// Any other call.
    Other,
}

/// A field of a call, and where its value comes from.
struct Source {
    call: &'static str,
    field: &'static str,
    from: &'static str,
}

const fn source(call: &'static str, field: &'static str, from: &'static str) -> Source {
    Source { call, field, from }
}

/// Fields that mean the same in every call of their kind. `*`: of any call.
const SOURCES: [Source; 37] = [
    source("BPF_BTF_LOAD", "btf", "section .BTF, with the offsets and sizes of globals filled in"),
    source("BPF_BTF_LOAD", "btf_size", "the size of section .BTF"),
    source("BPF_BTF_LOAD", "btf_log_buf", "none: the first try is silent"),
    source("BPF_BTF_LOAD", "btf_log_size", "none: the first try is silent"),
    source("BPF_BTF_LOAD", "btf_log_level", "none: the first try is silent"),
    source("BPF_MAP_CREATE", "inner_map_fd", "the pattern of what the map holds, created just before"),
    source("BPF_MAP_CREATE", "numa_node", "member `numa_node` of the definition"),
    source("BPF_MAP_CREATE", "map_ifindex", "no network card is to hold it"),
    source("BPF_MAP_CREATE", "btf_fd", "what BPF_BTF_LOAD returned, if the map has types"),
    source("BPF_MAP_CREATE", "btf_vmlinux_value_type_id", "only for struct_ops"),
    source("BPF_MAP_UPDATE_ELEM", "key", "an array of one entry: the only key is 0"),
    source("BPF_MAP_UPDATE_ELEM", "value", "the section's bytes, with what --set has changed"),
    source("slot", "key", "the slot's number"),
    source("slot", "value", "the descriptor of what the slot holds"),
    source("*", "flags", "BPF_ANY: create or replace"),
    source("BPF_PROG_LOAD", "insn_cnt", "slots of 8 bytes: lddw counts twice"),
    source("BPF_PROG_LOAD", "insns", "the program and the functions that it calls, every hole filled"),
    source("BPF_PROG_LOAD", "log_level", "none: the first try is silent"),
    source("BPF_PROG_LOAD", "log_size", "none: the first try is silent"),
    source("BPF_PROG_LOAD", "log_buf", "none: the first try is silent"),
    source("BPF_PROG_LOAD", "kern_version", "not asked for since 5.0"),
    source("BPF_PROG_LOAD", "prog_flags", "nothing special"),
    source("BPF_PROG_LOAD", "prog_name", "the function's symbol, cut to 15 bytes"),
    source("BPF_PROG_LOAD", "prog_ifindex", "no network card is to run it"),
    source("BPF_PROG_LOAD", "expected_attach_type", "a socket filter has none"),
    source("BPF_PROG_LOAD", "prog_btf_fd", "what BPF_BTF_LOAD returned"),
    source("BPF_PROG_LOAD", "func_info_rec_size", "bytes of struct bpf_func_info"),
    source("BPF_PROG_LOAD", "func_info", "section .BTF.ext, offsets counted anew from the program's start"),
    source("BPF_PROG_LOAD", "func_info_cnt", "one for each function"),
    source("BPF_PROG_LOAD", "line_info_rec_size", "bytes of struct bpf_line_info"),
    source("BPF_PROG_LOAD", "line_info", "section .BTF.ext, offsets counted anew from the program's start"),
    source("BPF_PROG_LOAD", "line_info_cnt", "one for each change of the source line"),
    source("BPF_PROG_LOAD", "attach_btf_id", "only for tracing programs"),
    source("BPF_PROG_LOAD", "attach_prog_fd", "only for programs that extend others"),
    source("BPF_PROG_LOAD", "fd_array", "the descriptors stand in the instructions themselves"),
    source("*", "map_fd", "what BPF_MAP_CREATE returned"),
    source("*", "map_name", "the symbol or the section, cut to 15 bytes"),
];

/// The numbers of a map, by how it is defined: in BTF, by the bytes of `maps`, by a data section, as a pattern.
const MAP_SOURCES: [(&str, [&str; 4]); 8] = [
    (
        "map_type",
        [
            "member `type`: the length of the array that it points to",
            "bytes 0 to 3 of the definition",
            "a data section is an array",
            INNER,
        ],
    ),
    (
        "key_size",
        [
            "the size of the type that member `key` points to, or member `key_size`",
            "bytes 4 to 7 of the definition",
            "an array's keys are numbers of 32 bits",
            INNER,
        ],
    ),
    (
        "value_size",
        [
            "the size of the type that member `value` points to, or member `value_size`",
            "bytes 8 to 11 of the definition",
            "the section's size",
            INNER,
        ],
    ),
    (
        "max_entries",
        [
            "member `max_entries`, made to fit the type of map",
            "bytes 12 to 15 of the definition",
            "one entry: the section",
            INNER,
        ],
    ),
    (
        "map_flags",
        [
            "member `map_flags`",
            "bytes 16 to 19 of the definition",
            "RDONLY_PROG for constants, MMAPABLE if a variable is not static",
            INNER,
        ],
    ),
    (
        "btf_key_type_id",
        ["the type that member `key` points to", "the bytes tell no type", "a number needs none", INNER],
    ),
    (
        "btf_value_type_id",
        ["the type that member `value` points to", "the bytes tell no type", "the DATASEC of that name in .BTF", INNER],
    ),
    ("map_extra", ["member `map_extra`", "the bytes have none", "nothing more", INNER]),
];

const INNER: &str = "the same member of the definition in `values`";

/// What decides about a program besides its instructions.
fn of_program(field: &str, by_name: bool, has_license: bool) -> Option<&'static str> {
    Some(match (field, by_name, has_license) {
        ("prog_type", true, _) => "the section's name begins with `socket`",
        ("prog_type", false, _) => "--section names the section",
        ("license", _, true) => "section `license`",
        ("license", _, false) => "there is no section `license`: not GPL-compatible, and GPL-only helpers are closed",
        _ => return None,
    })
}

/// Where the value of a field comes from; empty if the tables do not say.
pub(super) fn of(call: &str, field: &str, origin: Origin) -> &'static str {
    if let Origin::Program { by_name, has_license } = origin
        && let Some(from) = of_program(field, by_name, has_license)
    {
        return from;
    }
    let call = if origin == Origin::Slot { "slot" } else { call };
    let of_map = MAP_SOURCES.iter().find(|(name, _)| *name == field).map(|(_, sources)| sources);
    let from = of_map.and_then(|[btf, legacy, data, pattern]| match origin {
        Origin::Btf => Some(*btf),
        Origin::Legacy => Some(*legacy),
        Origin::Data => Some(*data),
        Origin::Pattern => Some(*pattern),
        Origin::Slot | Origin::Program { .. } | Origin::Other => None,
    });
    let everywhere = || SOURCES.iter().find(|row| (row.call == call || row.call == "*") && row.field == field);
    from.or_else(|| everywhere().map(|row| row.from)).unwrap_or_default()
}
