//! The contents of a map: walked element by element, and read by the types of its BTF.

mod types;
mod walk;

pub use types::{Contents, Types, is_per_cpu};
pub use walk::{Asked, Element, walk};

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::kernel::Map;
use crate::sys::SysError;

/// Types whose elements user space can walk and read: hashes, arrays, their per-CPU kin, prefix trees, and slots with maps or programs.
const WALKABLE: [u32; 10] = [1, 2, 3, 5, 6, 9, 10, 11, 12, 13];

/// Whether the map's elements can be walked at all; a ring buffer, for one, has none.
pub fn is_walkable(map: &Map) -> bool {
    WALKABLE.contains(&map.spec().attr.map_type)
}

/// Everything that a map holds at one moment, values by keys: to be compared with what it holds later.
///
/// # Errors
///
/// As [`walk`].
pub fn snapshot(map: &Map) -> Result<Snapshot, SysError> {
    let mut snapshot = Snapshot::new();
    walk(
        map,
        |_| (),
        |element| {
            snapshot.insert(element.key.into(), element.value.into());
            ControlFlow::Continue(())
        },
    )?;
    Ok(snapshot)
}

/// Values by keys.
pub type Snapshot = BTreeMap<Box<[u8]>, Box<[u8]>>;

/// Why a map has no elements to be walked, as far as that is known of its type.
///
/// Kernel: the `map_get_next_key` and `map_lookup_elem` of each type's `bpf_map_ops`.
pub fn without_elements(map: &Map) -> Option<&'static str> {
    Some(match map.spec().attr.map_type {
        // BPF_MAP_TYPE_PERF_EVENT_ARRAY.
        4 => {
            "its slots hold the rings of whoever reads its events, and the kernel does not show them; --follow reads the events"
        }
        // CGROUP_STORAGE and PERCPU_CGROUP_STORAGE; SK, INODE, TASK and CGRP_STORAGE.
        19 | 21 | 24 | 28 | 29 | 32 => {
            "its values belong to other objects of the kernel, and are only found through these"
        }
        // QUEUE and STACK.
        22 | 23 => "of a queue or a stack only the next element can be seen without taking it out",
        // USER_RINGBUF.
        31 => "a user ring buffer holds records for the program that reads it, not elements",
        // RINGBUF.
        27 => "a ring buffer holds records for the one that reads it, not elements; --follow reads them",
        // BLOOM_FILTER.
        30 => "a Bloom filter only says of a value whether it may have been put in",
        // ARENA.
        33 => "an arena is memory, not elements",
        _ => return None,
    })
}

/// Whether the next element can be looked at (`BPF_MAP_TYPE_QUEUE`, STACK).
pub fn can_peek(map: &Map) -> bool {
    matches!(map.spec().attr.map_type, 22 | 23)
}
