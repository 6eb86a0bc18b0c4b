//! [`MapSpec`] → [`MapCreate`]: what the object asks for, made into what the kernel accepts.

use crate::plan::{MapCreate, MapId};
use crate::spec::MapSpec;
use crate::target::Target;

/// Types whose maps the kernel refuses with BTF: what they hold are descriptors, sockets, or bytes without a key. In their
/// order in `enum bpf_map_type`: PERF_EVENT_ARRAY, STACK_TRACE, CGROUP_ARRAY, the two OF_MAPS, DEVMAP, SOCKMAP, CPUMAP, XSKMAP,
/// SOCKHASH, QUEUE, STACK, DEVMAP_HASH, RINGBUF, USER_RINGBUF, ARENA.
///
/// Kernel: `map_check_btf()` and `map_check_no_btf()`, `kernel/bpf/syscall.c`: ENOTSUPP, or EINVAL for want of a key.
const WITHOUT_BTF: [u32; 16] = [4, 7, 8, 12, 13, 14, 15, 16, 17, 18, 22, 23, 25, 27, 31, 33];

const BPF_MAP_TYPE_RINGBUF: u32 = 27;
const BPF_MAP_TYPE_USER_RINGBUF: u32 = 31;

pub(super) fn create(index: usize, spec: &MapSpec, target: &Target) -> MapCreate {
    let mut map = MapCreate { id: MapId(index), name: spec.name.clone(), attr: spec.attr, adjusted: None };
    if WITHOUT_BTF.contains(&map.attr.map_type) {
        (map.attr.btf_key_type_id, map.attr.btf_value_type_id) = (0, 0);
    }
    if matches!(map.attr.map_type, BPF_MAP_TYPE_RINGBUF | BPF_MAP_TYPE_USER_RINGBUF)
        && let Some(page) = target.page_size
    {
        round_ring(&mut map, page);
    }
    map
}

/// A ring buffer's size must be a power of two of whole pages, which an object cannot know.
///
/// Kernel: `ringbuf_map_alloc()`, `kernel/bpf/ringbuf.c`.
fn round_ring(map: &mut MapCreate, page: u32) {
    let asked = map.attr.max_entries;
    let rounded = asked.max(page).checked_next_power_of_two().unwrap_or(asked);
    if rounded != asked && asked != 0 {
        map.attr.max_entries = rounded;
        map.adjusted = Some(format!("{asked} bytes asked for: a ring buffer is a power of two of pages of {page}"));
    }
}
