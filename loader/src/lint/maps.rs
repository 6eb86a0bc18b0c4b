//! Maps that no kernel creates. `BPF_MAP_CREATE` ends with EINVAL, or ENOTSUPP for an LRU map that is not allocated in advance, and does
//! not say for what.
//!
//! Kernel: `htab_map_alloc_check()` and `fd_htab_map_alloc_check()`, `kernel/bpf/hashtab.c`; `array_map_alloc_check()` and
//! `fd_array_map_alloc_check()`, `kernel/bpf/arraymap.c`; `trie_alloc()`, `kernel/bpf/lpm_trie.c`; `ringbuf_map_alloc()`,
//! `kernel/bpf/ringbuf.c`; `queue_stack_map_alloc_check()`, `kernel/bpf/queue_stack_maps.c`; `bloom_map_alloc()`,
//! `kernel/bpf/bloom_filter.c`.

use super::rules::MAP_ATTR;
use super::{Lint, object};
use crate::plan::{Plan, Step};
use crate::spec::MapAttr;
use crate::uapi::names::{map_flags, map_type_short};

/// What a map is asked for that its type does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapFault {
    /// The member of `union bpf_attr`, what it is, and what the type wants.
    pub what: String,
    /// How the definition is to be written.
    pub mend: &'static str,
}

/// What maps of one kind want.
struct Wants {
    types: &'static [u32],
    key: Size,
    value: Size,
    /// Of the flags that some types alone have, the ones of these.
    flags: u32,
}

/// Bytes of a key or a value.
enum Size {
    Any,
    Four,
    Nothing,
    /// A prefix: its length in 32 bits, and up to 256 bytes.
    Prefix,
    /// Left to the loader.
    Free,
}

const NO_PREALLOC: u32 = 1 << 0;
const NO_COMMON_LRU: u32 = 1 << 1;
const STACK_BUILD_ID: u32 = 1 << 5;
const ZERO_SEED: u32 = 1 << 6;
const MMAPABLE: u32 = 1 << 10;
const PRESERVE_ELEMS: u32 = 1 << 11;
const INNER_MAP: u32 = 1 << 12;
const OF_SOME_TYPES: u32 =
    NO_PREALLOC | NO_COMMON_LRU | STACK_BUILD_ID | ZERO_SEED | MMAPABLE | PRESERVE_ELEMS | INNER_MAP;

const UNSPEC: u32 = 0;
const LPM_TRIE: u32 = 11;
const RINGBUF: u32 = 27;
const PREFIX_BYTES: std::ops::RangeInclusive<u32> = 5..=260;

const fn wants(types: &'static [u32], key: Size, value: Size, flags: u32) -> Wants {
    Wants { types, key, value, flags }
}

/// By `enum bpf_map_type`; of other types nothing is said.
const WANTS: [Wants; 11] = [
    // HASH, PERCPU_HASH.
    wants(&[1, 5], Size::Any, Size::Any, NO_PREALLOC | ZERO_SEED),
    // LRU_HASH, LRU_PERCPU_HASH.
    wants(&[9, 10], Size::Any, Size::Any, NO_COMMON_LRU | ZERO_SEED),
    // HASH_OF_MAPS.
    wants(&[13], Size::Any, Size::Four, NO_PREALLOC | ZERO_SEED),
    // ARRAY.
    wants(&[2], Size::Four, Size::Any, MMAPABLE | INNER_MAP),
    // PERCPU_ARRAY.
    wants(&[6], Size::Four, Size::Any, 0),
    // PROG_ARRAY, CGROUP_ARRAY, ARRAY_OF_MAPS.
    wants(&[3, 8, 12], Size::Four, Size::Four, 0),
    // PERF_EVENT_ARRAY: a slot for each CPU, and what else is missing, is filled in.
    wants(&[4], Size::Four, Size::Four, PRESERVE_ELEMS),
    wants(&[LPM_TRIE], Size::Prefix, Size::Any, NO_PREALLOC),
    // RINGBUF, USER_RINGBUF.
    wants(&[RINGBUF, 31], Size::Free, Size::Free, 0),
    // QUEUE, STACK.
    wants(&[22, 23], Size::Nothing, Size::Any, 0),
    // BLOOM_FILTER.
    wants(&[30], Size::Nothing, Size::Any, ZERO_SEED),
];

/// Each map that is to be created and cannot be.
pub(super) fn lints(plan: &Plan) -> Vec<Lint> {
    let maps = plan.steps.iter().filter_map(|step| match step {
        Step::MapCreate(map) => Some(map),
        _ => None,
    });
    let faults = maps.filter_map(|map| Some((map, fault(&map.attr)?)));
    let lint = |(map, fault): (&crate::plan::MapCreate, MapFault)| {
        let what = format!("has the map `{}` with {}", map.name, fault.what);
        Lint { mend: fault.mend.to_owned(), ..object::of_object(MAP_ATTR, what) }
    };
    faults.map(lint).collect()
}

/// Why no kernel creates a map of these numbers; `None` if nothing is known against it.
pub fn fault(attr: &MapAttr) -> Option<MapFault> {
    let fault = |what, mend| Some(MapFault { what, mend });
    if attr.map_type == UNSPEC {
        return fault("type 0, which is none".to_owned(), "__uint(type, BPF_MAP_TYPE_HASH); or another type");
    }
    let wants = WANTS.iter().find(|wants| wants.types.contains(&attr.map_type))?;
    let a = format!("a map of type {}", map_type_short(attr.map_type));
    if attr.max_entries == 0 {
        let mend = if matches!(wants.key, Size::Free) {
            "__uint(max_entries, 64 * 1024); the bytes of the buffer"
        } else {
            "__uint(max_entries, N);"
        };
        return fault(format!("max_entries 0, and {a} wants at least 1"), mend);
    }
    let of_size = |member, size, rule: &Size, mend| {
        let found = wrong_size(size, rule).map(|rule| format!("{member} {size}, and {a} wants {rule}"))?;
        fault(found, if matches!(rule, Size::Nothing) { "leave out the key: only __type(value, T);" } else { mend })
    };
    let key = match wants.key {
        Size::Four => "__type(key, __u32);",
        Size::Prefix => "__type(key, struct prefix); with struct prefix { __u32 bits; __u8 bytes[4]; };",
        _ => "__type(key, T); or __uint(key_size, BYTES);",
    };
    let value = match wants.value {
        Size::Four => "__uint(value_size, sizeof(__u32));",
        _ => "__type(value, T); or __uint(value_size, BYTES);",
    };
    of_size("key_size", attr.key_size, &wants.key, key)
        .or_else(|| of_size("value_size", attr.value_size, &wants.value, value))
        .or_else(|| flags(attr, wants.flags, &a))
}

/// What is wrong with a size: what the kernel wants instead.
fn wrong_size(size: u32, rule: &Size) -> Option<&'static str> {
    match rule {
        Size::Any => (size == 0).then_some("at least 1"),
        Size::Four => (size != 4).then_some("4"),
        Size::Nothing => (size != 0).then_some("0"),
        Size::Prefix => (!PREFIX_BYTES.contains(&size)).then_some("5 to 260"),
        Size::Free => None,
    }
}

fn flags(attr: &MapAttr, allowed: u32, a: &str) -> Option<MapFault> {
    let foreign = attr.map_flags & OF_SOME_TYPES & !allowed;
    if foreign != 0 {
        let what = format!("map_flags {}, which {a} does not take", map_flags(foreign));
        return Some(MapFault { what, mend: "leave it out of __uint(map_flags, …);" });
    }
    (attr.map_type == LPM_TRIE && attr.map_flags & NO_PREALLOC == 0).then(|| MapFault {
        what: format!("map_flags {}, and {a} wants BPF_F_NO_PREALLOC", map_flags(attr.map_flags)),
        mend: "__uint(map_flags, BPF_F_NO_PREALLOC);",
    })
}
