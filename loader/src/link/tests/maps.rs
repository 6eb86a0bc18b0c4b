//! References to maps and variables.

use crate::insn::Insn;
use crate::link::Options;
use crate::plan::{MapCreate, MapId, PatchKind};
use crate::target::Target;
use crate::testing::{EXIT, Elf, LDDW, LDDW_8, R_BPF_64_64, STATIC, Types, plan, plan_with, program};

/// A `struct bpf_map_def` of an array of four bytes.
const ARRAY: [u32; 5] = [2, 4, 4, 1, 0];

#[test]
fn a_map_reference_becomes_its_descriptor() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let maps = elf.data("maps", &ARRAY.map(u32::to_le_bytes).concat());
    let ports = elf.var(maps, "ports", 0, 20);
    elf.reloc(code, 0, R_BPF_64_64, ports);
    let plan = plan(&elf.build()).unwrap();
    let filter = program(&plan, "filter");
    assert_eq!((filter.patches[0].insn, filter.patches[0].symbol.as_str()), (0, "ports"));
    let expected = [
        Insn { code: Insn::LDDW, regs: 0x11, off: 0, imm: 42 }, // src = BPF_PSEUDO_MAP_FD
        Insn { code: 0, regs: 0, off: 0, imm: 0 },
        Insn { code: Insn::EXIT, regs: 0, off: 0, imm: 0 },
    ];
    assert_eq!(filter.resolve(|_| 42), expected);
}

#[test]
fn two_static_maps_are_told_apart_by_the_offset_in_the_instruction() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, LDDW_8, EXIT].concat());
    let section = elf.data(".maps", &[0; 16]);
    elf.static_var(section, "first", 0, 8);
    elf.static_var(section, "second", 8, 8);
    let symbol = elf.section_symbol(section);
    elf.reloc(code, 0, R_BPF_64_64, symbol);
    elf.reloc(code, 16, R_BPF_64_64, symbol);
    let mut types = Types::new();
    let number = types.number(2);
    let definition = types.pointers(&[("type", number)]);
    let first = types.var("first", definition, STATIC);
    let second = types.var("second", definition, STATIC);
    types.datasec(".maps", &[[first, 0, 8], [second, 8, 8]]);
    elf.btf(&types);

    let plan = plan(&elf.build()).unwrap();
    let patches = &program(&plan, "filter").patches;
    let found: Vec<_> = patches.iter().map(|patch| (patch.insn, patch.symbol.as_str(), patch.kind)).collect();
    let fd = |map| PatchKind::MapFd { map: MapId(map) };
    assert_eq!(found, [(0, "first", fd(0)), (2, "second", fd(1))]);
    let imms: Vec<_> = program(&plan, "filter").resolve(|map| 40 + map.0 as i32).iter().map(|insn| insn.imm).collect();
    assert_eq!(imms, [40, 0, 41, 0, 0], "the offset is gone from the instruction");
}

/// `.data` of 16 bytes with two variables, referred to by the bytes of `lddw`.
fn variable(lddw: &[u8], is_static: bool) -> Vec<(String, PatchKind)> {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[lddw, EXIT].concat());
    let data = elf.data(".data", &[7; 24]);
    let symbol = if is_static {
        elf.static_var(data, "hidden", 8, 8);
        elf.section_symbol(data)
    } else {
        elf.var(data, "table", 8, 16)
    };
    elf.reloc(code, 0, R_BPF_64_64, symbol);
    let plan = plan(&elf.build()).unwrap();
    program(&plan, "filter").patches.iter().map(|patch| (patch.symbol.clone(), patch.kind)).collect()
}

#[test]
fn a_global_variable_is_its_offset_in_its_sections_map() {
    let value = PatchKind::MapValue { map: MapId(0), offset: 8 };
    assert_eq!(variable(LDDW, false), [("table".to_owned(), value)]);
}

#[test]
fn the_addend_in_the_instruction_is_added_to_the_variable() {
    let value = PatchKind::MapValue { map: MapId(0), offset: 16 };
    assert_eq!(variable(LDDW_8, false), [("table".to_owned(), value)]);
}

#[test]
fn a_static_variable_is_the_addend_alone() {
    let value = PatchKind::MapValue { map: MapId(0), offset: 8 };
    assert_eq!(variable(LDDW_8, true), [(".data".to_owned(), value)]);
}

#[test]
fn the_offset_of_a_variable_stands_in_the_second_slot() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let bss = elf.bss(".bss", 16);
    let total = elf.var(bss, "total", 8, 8);
    elf.reloc(code, 0, R_BPF_64_64, total);
    let plan = plan(&elf.build()).unwrap();
    let insns = program(&plan, "filter").resolve(|_| 42);
    assert_eq!((insns[0].src(), insns[0].imm, insns[1].imm), (Insn::BPF_PSEUDO_MAP_VALUE, 42, 8));
}

/// The map of an object with one map of these five fields, made for this kernel.
fn made(fields: [u32; 5], target: &Target) -> MapCreate {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let maps = elf.data("maps", &fields.map(u32::to_le_bytes).concat());
    let events = elf.var(maps, "events", 0, 20);
    elf.reloc(code, 0, R_BPF_64_64, events);
    let plan = plan_with(&elf.build(), &Options::default(), target).unwrap();
    plan.map(MapId(0)).unwrap().clone()
}

/// A ring buffer of `entries` bytes, for a kernel with pages of that size.
fn ring_buffer(entries: u32, page_size: Option<u32>) -> MapCreate {
    made([27, 0, 0, entries, 0], &Target { page_size, ..Target::none() })
}

#[test]
fn a_perf_event_array_has_a_slot_for_each_cpu() {
    let target = Target { possible_cpus: Some(4), ..Target::none() };
    let shape = |fields| {
        let map = made(fields, &target);
        (map.attr.key_size, map.attr.value_size, map.attr.max_entries, map.adjusted.is_some())
    };
    assert_eq!(shape([4, 4, 4, 0, 0]), (4, 4, 4, true), "none asked for");
    assert_eq!(shape([4, 0, 0, 128, 0]), (4, 4, 128, false), "more than there are");
    assert_eq!(shape([4, 4, 4, 2, 0]), (4, 4, 2, false), "fewer");
}

#[test]
fn a_ring_buffer_takes_neither_key_nor_value_whatever_type_its_records_have() {
    let map = made([27, 0, 32, 4096, 0], &Target { page_size: Some(4096), ..Target::none() });
    assert_eq!((map.attr.key_size, map.attr.value_size), (0, 0));
}

#[test]
fn a_ring_buffer_becomes_a_power_of_two_of_pages() {
    for (asked, page, created) in [
        (1, 4096, 4096),
        (4097, 4096, 8192),
        (12_288, 4096, 16_384),
        (4096, 16_384, 16_384),
        (4096, 65_536, 65_536),
        (65_537, 65_536, 131_072),
    ] {
        let map = ring_buffer(asked, Some(page));
        assert_eq!(map.attr.max_entries, created, "{asked} bytes asked for, pages of {page}");
        let why = format!("{asked} bytes asked for: a ring buffer is a power of two of pages of {page}");
        assert_eq!(map.adjusted, Some(why));
    }
}

#[test]
fn a_ring_buffer_stays_as_it_is_where_nothing_is_to_be_rounded() {
    for (asked, page) in [(4096, Some(4096)), (65_536, Some(16_384)), (1, None), (0, Some(4096))] {
        let map = ring_buffer(asked, page);
        assert_eq!((map.attr.max_entries, map.adjusted), (asked, None));
    }
    assert_eq!(
        ring_buffer(u32::MAX, Some(4096)).attr.max_entries,
        u32::MAX,
        "the next power does not fit; the kernel says so"
    );
}

#[test]
fn a_map_type_that_takes_no_types_gets_none() {
    let mut types = Types::new();
    let int = types.int("int", 4, 0);
    let (ring, key) = (types.number(27), types.ptr(int));
    let definition = types.pointers(&[("type", ring), ("key", key), ("value", key)]);
    types.maps(&[("events", definition)]);
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let section = elf.data(".maps", &[0; 32]);
    let events = elf.var(section, "events", 0, 32);
    elf.reloc(code, 0, R_BPF_64_64, events);
    elf.btf(&types);
    let plan = plan(&elf.build()).unwrap();
    let map = plan.map(MapId(0)).unwrap();
    assert!(!map.is_typed());
    assert_eq!((map.attr.key_size, map.attr.value_size), (4, 4), "the sizes stay");
}
