//! Data sections.

use object::SectionKind;

use super::maps;
use crate::spec::{MapOrigin, MapSpec};
use crate::testing::{EXIT, Elf, GLOBAL, SIGNED, STATIC, Types};

const BPF_F_RDONLY_PROG: u32 = 1 << 7;
const BPF_F_MMAPABLE: u32 = 1 << 10;

/// The map of an object with one section of four bytes.
fn map_of(name: &str) -> Option<MapSpec> {
    let mut elf = Elf::new();
    elf.data(name, &[1, 2, 3, 4]);
    maps(&elf).unwrap().pop()
}

#[test]
fn a_data_section_is_an_array_of_one_entry() {
    let map = map_of(".data").unwrap();
    assert_eq!(map.name, ".data");
    assert_eq!((map.attr.map_type, map.attr.key_size, map.attr.value_size, map.attr.max_entries), (2, 4, 4, 1));
    assert_eq!((map.origin, map.attr.map_flags, map.extent), (MapOrigin::Data { read_only: false }, 0, 4));
}

#[test]
fn what_follows_does_not_change_the_kind_of_data() {
    for name in [".data", ".data.foo", ".data1", ".bss.counters"] {
        assert_eq!(map_of(name).unwrap().origin, MapOrigin::Data { read_only: false }, "{name}");
    }
    for name in [".rodata", ".rodata.str1.1", ".rodata.cst16", ".rodata_of_mine"] {
        let map = map_of(name).unwrap();
        assert_eq!(
            (map.origin, map.attr.map_flags),
            (MapOrigin::Data { read_only: true }, BPF_F_RDONLY_PROG),
            "{name}"
        );
    }
}

#[test]
fn other_sections_are_no_data() {
    for name in ["data", "mydata", "license", "version", ".kconfig", ".ksyms"] {
        assert_eq!(map_of(name), None, "{name}");
    }
}

#[test]
fn a_section_that_is_code_or_for_tools_or_empty_is_no_data() {
    let mut elf = Elf::new();
    elf.code(".data.code", EXIT);
    elf.section(".data.tools", SectionKind::Other, &[1]);
    elf.data(".data", &[]);
    assert_eq!(maps(&elf), Ok(vec![]));
}

#[test]
fn a_section_of_zeros_is_data_of_its_size() {
    let mut elf = Elf::new();
    elf.bss(".bss", 4096);
    let map = maps(&elf).unwrap().remove(0);
    assert_eq!((map.attr.value_size, map.origin), (4096, MapOrigin::Data { read_only: false }));
}

#[test]
fn a_section_larger_than_a_value_can_be_is_an_error() {
    for size in [1 << 31, 1 << 40] {
        let mut elf = Elf::new();
        elf.bss(".bss", size);
        let expected = format!("section `.bss`: {size} bytes, but a map's value can have at most 2147483647");
        assert_eq!(maps(&elf), Err(expected));
    }
}

/// A `.data` with one variable of this linkage.
fn data_with_variable(linkage: u32) -> (u32, MapSpec) {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    let var = types.var("limit", int, linkage);
    let datasec = types.datasec(".data", &[[var, 0, 4]]);
    let mut elf = Elf::new();
    elf.data(".data", &[1, 2, 3, 4]);
    elf.btf(&types);
    (datasec, maps(&elf).unwrap().remove(0))
}

#[test]
fn the_datasec_is_the_type_of_the_value() {
    let (datasec, map) = data_with_variable(STATIC);
    assert_eq!((map.attr.btf_key_type_id, map.attr.btf_value_type_id), (0, datasec));
}

#[test]
fn only_data_with_a_variable_seen_from_outside_can_be_mapped_into_memory() {
    assert_eq!(data_with_variable(STATIC).1.attr.map_flags, 0);
    assert_eq!(data_with_variable(GLOBAL).1.attr.map_flags, BPF_F_MMAPABLE);
}
