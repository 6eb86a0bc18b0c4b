//! [`MapSpec`] → [`MapCreate`]: what the object asks for, made into what the kernel accepts.

use std::collections::BTreeSet;

use super::reach::{Found, Reach};
use crate::btf::Kind;
use crate::plan::{MapCreate, MapId, Step};
use crate::spec::{MapAttr, MapOrigin, MapSpec, Spec};
use crate::target::Target;

/// Types whose maps the kernel refuses with BTF: what they hold are descriptors, sockets, or bytes without a key. In their
/// order in `enum bpf_map_type`: `PERF_EVENT_ARRAY`, `STACK_TRACE`, `CGROUP_ARRAY`, the two `OF_MAPS`, DEVMAP, SOCKMAP, CPUMAP, XSKMAP,
/// SOCKHASH, QUEUE, STACK, `DEVMAP_HASH`, RINGBUF, `USER_RINGBUF`, ARENA.
///
/// Kernel: `map_check_btf()` and `map_check_no_btf()`, `kernel/bpf/syscall.c`: ENOTSUPP, or EINVAL for want of a key.
const WITHOUT_BTF: [u32; 16] = [4, 7, 8, 12, 13, 14, 15, 16, 17, 18, 22, 23, 25, 27, 31, 33];

const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_MAP_TYPE_PERF_EVENT_ARRAY: u32 = 4;
const BPF_MAP_TYPE_PERCPU_ARRAY: u32 = 6;
const BPF_MAP_TYPE_LPM_TRIE: u32 = 11;
const BPF_MAP_TYPE_RINGBUF: u32 = 27;
const BPF_MAP_TYPE_USER_RINGBUF: u32 = 31;

/// Creates the needed maps by section and offset, but what a map of maps holds before it.
pub(super) fn create_all(
    spec: &Spec<'_>,
    needed: &BTreeSet<usize>,
    reach: &Reach<'_, '_>,
    target: &Target,
) -> Vec<Step> {
    let mut done = BTreeSet::new();
    let mut steps = Vec::new();
    for (index, map) in needed.iter().filter_map(|index| Some((*index, spec.maps.get(*index)?))) {
        let held = map.slots.iter().filter_map(|slot| match reach.find(slot) {
            Some(Found::Map(inner)) => Some(inner),
            _ => None,
        });
        // The kernel allows two levels of maps, so what is held holds no maps itself.
        for index in held.chain([index]).filter(|index| done.insert(*index)) {
            let Some(map) = spec.maps.get(index) else { continue };
            let mut create = create(spec, MapId(index), map.name.clone(), map.attr, target);
            if let Some(inner) = map.inner {
                let pattern = MapId(spec.maps.len() + index);
                create.inner = Some(pattern);
                let name = format!("{}.inner", map.name);
                steps.push(MapCreate { is_pattern: true, ..self::create(spec, pattern, name, inner, target) });
            }
            create.warning = unfilled_pointer(spec, map);
            steps.push(create);
        }
    }
    steps.into_iter().map(Step::MapCreate).collect()
}

/// Makes of what the object asks for what the kernel accepts.
fn create(spec: &Spec<'_>, id: MapId, name: String, attr: MapAttr, target: &Target) -> MapCreate {
    let mut map = MapCreate { id, name, attr, inner: None, is_pattern: false, adjusted: None, warning: None };
    if WITHOUT_BTF.contains(&map.attr.map_type) || !key_type_fits(spec, &map.attr) {
        (map.attr.btf_key_type_id, map.attr.btf_value_type_id) = (0, 0);
    }
    if matches!(map.attr.map_type, BPF_MAP_TYPE_RINGBUF | BPF_MAP_TYPE_USER_RINGBUF)
        && let Some(page) = target.page_size
    {
        round_ring(&mut map, page);
        // `__type(value, struct event)` only tells readers what the records are.
        (map.attr.key_size, map.attr.value_size) = (0, 0);
    }
    if let (BPF_MAP_TYPE_PERF_EVENT_ARRAY, Some(cpus)) = (map.attr.map_type, target.possible_cpus) {
        one_slot_per_cpu(&mut map, cpus);
    }
    map
}

/// A variable that should hold the address of another one: an array's value cannot hold an address that the verifier would know.
fn unfilled_pointer(spec: &Spec<'_>, map: &MapSpec) -> Option<String> {
    let MapOrigin::Data { .. } = map.origin else { return None };
    let record = spec.object.sections.get(map.place.section)?.relocs.first()?;
    let symbol = spec.object.symbols.get(record.symbol)?;
    Some(format!(
        "section `{}`, byte {}: the variable there should point to `{}`, but stays zero; assign the pointer in the program",
        map.name, record.offset, symbol.name
    ))
}

/// Whether the kernel takes the key's type: an array wants a plain number of 32 bits (an enum is none), a prefix tree a struct.
/// Keys of other types work as well, but go without types.
///
/// Kernel: `array_map_check_btf()`, `kernel/bpf/arraymap.c`; `trie_check_btf()`, `kernel/bpf/lpm_trie.c`.
fn key_type_fits(spec: &Spec<'_>, attr: &MapAttr) -> bool {
    let key = match (&spec.btf, attr.btf_key_type_id) {
        (Some(btf), id @ 1..) => btf.resolve(id).map(|(_, ty)| ty.kind),
        _ => return true,
    };
    match attr.map_type {
        BPF_MAP_TYPE_ARRAY | BPF_MAP_TYPE_PERCPU_ARRAY => matches!(key, Ok(Kind::Int { size: 4, bits: 32, .. })),
        BPF_MAP_TYPE_LPM_TRIE => matches!(key, Ok(Kind::Struct { .. })),
        _ => true,
    }
}

/// A perf event array has a slot for each CPU: an object that leaves the number out means all of them. Keys
/// and values are CPU numbers and descriptors, of four bytes each.
///
/// Kernel: `perf_event_array_map_ops`, `kernel/bpf/arraymap.c`.
fn one_slot_per_cpu(map: &mut MapCreate, cpus: u32) {
    if map.attr.max_entries == 0 {
        map.attr.max_entries = cpus;
        map.adjusted = Some(format!("no entries asked for: a perf event array has one for each of {cpus} CPUs"));
    }
    for size in [&mut map.attr.key_size, &mut map.attr.value_size] {
        *size = if *size == 0 { 4 } else { *size };
    }
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
