//! Maps defined by their BTF types.

use super::maps;
use crate::spec::{MapOrigin, MapSpec};
use crate::testing::{Elf, SIGNED, STATIC, Types, kind};

/// An object with one map, `ports`, whose members `members` makes.
fn object(members: impl Fn(&mut Types) -> Vec<(&'static str, u32)>) -> Elf {
    let mut types = Types::new();
    let members = members(&mut types);
    let definition = types.pointers(&members);
    types.maps(&[("ports", definition)]);
    with_types(&types)
}

/// A `.maps` section of one map's 32 bytes, with these types.
fn with_types(types: &Types) -> Elf {
    let mut elf = Elf::new();
    let section = elf.data(".maps", &[0; 32]);
    elf.var(section, "ports", 0, 32);
    elf.btf(types);
    elf
}

fn map(members: impl Fn(&mut Types) -> Vec<(&'static str, u32)>) -> Result<MapSpec, String> {
    maps(&object(members)).map(|mut maps| maps.remove(0))
}

#[test]
fn numbers_are_the_lengths_of_arrays() {
    let map = map(|types| {
        vec![
            ("type", types.number(1)),
            ("key_size", types.number(2)),
            ("value_size", types.number(16)),
            ("max_entries", types.number(1024)),
            ("map_flags", types.number(1)),
            ("map_extra", types.number(5)),
        ]
    });
    let map = map.unwrap();
    assert_eq!((map.name.as_str(), map.origin, map.extent), ("ports", MapOrigin::Btf, 32));
    assert_eq!((map.attr.map_type, map.attr.key_size, map.attr.value_size, map.attr.max_entries), (1, 2, 16, 1024));
    assert_eq!((map.attr.map_flags, map.attr.map_extra, map.attr.numa_node), (1, 5, 0));
    assert_eq!((map.attr.btf_key_type_id, map.attr.btf_value_type_id), (0, 0));
}

#[test]
fn types_give_the_size_and_the_type_number() {
    let mut types = Types::new();
    let short = types.int("unsigned short", 2, 0);
    let port = types.add("__u16", kind::TYPEDEF, 0, short, &[]);
    let totals = types.array(port, 8);
    let (map_type, key, value) = (types.number(1), types.ptr(port), types.ptr(totals));
    let definition = types.pointers(&[("type", map_type), ("key", key), ("value", value)]);
    types.maps(&[("ports", definition)]);
    let map = maps(&with_types(&types)).unwrap().remove(0);
    assert_eq!((map.attr.key_size, map.attr.btf_key_type_id), (2, port));
    assert_eq!((map.attr.value_size, map.attr.btf_value_type_id), (16, totals));
}

#[test]
fn a_numa_node_sets_its_flag() {
    let map =
        map(|types| vec![("type", types.number(1)), ("numa_node", types.number(3)), ("map_flags", types.number(1))]);
    let map = map.unwrap();
    assert_eq!(map.attr.numa_node, 3);
    assert_eq!(map.attr.map_flags & 4, 4, "BPF_F_NUMA_NODE, whichever member comes first");
}

#[test]
fn a_size_may_be_given_twice_if_both_agree() {
    let twice = |size| {
        map(move |types| {
            let int = types.int("int", 4, SIGNED);
            vec![("type", types.number(1)), ("key_size", types.number(size)), ("key", types.ptr(int))]
        })
    };
    assert_eq!(twice(4).unwrap().attr.key_size, 4);
    let expected = "map `ports`: `key` says 4 bytes, but another member said 8";
    assert_eq!(twice(8), Err(expected.to_owned()));

    let value_twice = map(|types| {
        let int = types.int("int", 4, SIGNED);
        vec![("type", types.number(1)), ("value", types.ptr(int)), ("value_size", types.number(2))]
    });
    assert_eq!(value_twice, Err("map `ports`: `value_size` says 2 bytes, but another member said 4".to_owned()));
}

#[test]
fn a_map_without_a_type_is_an_error() {
    let expected = "map `ports`: no `type`: __uint(type, BPF_MAP_TYPE_…) is missing";
    assert_eq!(map(|types| vec![("max_entries", types.number(1))]), Err(expected.to_owned()));
    assert_eq!(map(|types| vec![("type", types.number(0))]), Err(expected.to_owned()));
}

#[test]
fn an_unknown_member_is_an_error_that_lists_the_known_ones() {
    let expected = "map `ports`: `colour` is unknown, expected one of type, key, value, key_size, value_size, \
        max_entries, map_flags, numa_node, map_extra, pinning, values";
    assert_eq!(map(|types| vec![("type", types.number(1)), ("colour", types.number(7))]), Err(expected.to_owned()));
}

#[test]
fn a_number_that_is_no_array_says_what_it_is() {
    let found = |what| {
        Err(format!("map `ports`: `max_entries` is {what}, expected a pointer to an array: __uint(max_entries, …)"))
    };
    assert_eq!(map(|types| vec![("max_entries", types.int("int", 4, SIGNED))]), found("an integer"));
    assert_eq!(map(|types| vec![("max_entries", types.ptr(0))]), found("a pointer to void"));
}

#[test]
fn a_key_that_is_no_pointer_or_points_to_no_value_is_an_error() {
    let expected = "map `ports`: `key` is an integer, expected a pointer: __type(key, …)";
    assert_eq!(map(|types| vec![("key", types.int("int", 4, SIGNED))]), Err(expected.to_owned()));
    let expected = "map `ports`: `value` .BTF: type 0: void has no size";
    assert_eq!(map(|types| vec![("value", types.ptr(0))]), Err(expected.to_owned()));
}

#[test]
fn a_value_of_more_bytes_than_a_size_can_say_is_an_error() {
    let error = map(|types| {
        let long = types.int("long", 8, SIGNED);
        let huge = types.array(long, u32::MAX);
        vec![("value", types.ptr(huge))]
    });
    assert_eq!(error, Err("map `ports`: `value` is of a type of 34359738360 bytes".to_owned()));
}

#[test]
fn a_map_whose_type_is_no_struct_is_an_error() {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    types.maps(&[("ports", int)]);
    let expected = format!("map `ports`: BTF type {int} is an integer, expected a struct");
    assert_eq!(maps(&with_types(&types)), Err(expected));
}

#[test]
fn what_is_no_variable_defines_no_map() {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    types.datasec(".maps", &[[int, 0, 32]]);
    assert_eq!(maps(&with_types(&types)), Ok(vec![]));
}

#[test]
fn a_definition_outside_the_section_is_an_error() {
    let mut types = Types::new();
    let number = types.number(1);
    let definition = types.pointers(&[("type", number)]);
    let var = types.var("hidden", definition, STATIC);
    types.datasec(".maps", &[[var, 16, 32]]);
    let expected = "map `hidden`: 32 bytes at 0x10 lie outside the section of 32 bytes";
    assert_eq!(maps(&with_types(&types)), Err(expected.to_owned()));
}

#[test]
fn maps_without_types_are_told_to_compile_with_them() {
    let mut elf = Elf::new();
    let section = elf.data(".maps", &[0; 32]);
    elf.var(section, "ports", 0, 32);
    let expected = "section `.maps`: maps are defined by their BTF types, and the object has none that can be read: compile with -g";
    assert_eq!(maps(&elf), Err(expected.to_owned()));
}

#[test]
fn types_without_a_datasec_of_maps_are_an_error() {
    let expected = "section `.maps`: the object's BTF has no DATASEC of that name";
    assert_eq!(maps(&with_types(&Types::new())), Err(expected.to_owned()));
}

#[test]
fn a_section_of_maps_that_names_none_is_ignored() {
    let mut elf = Elf::new();
    elf.data(".maps", &[0; 32]);
    assert_eq!(maps(&elf), Ok(vec![]));
}

#[test]
fn global_maps_are_placed_by_their_symbols_and_static_ones_by_the_types() {
    let mut types = Types::new();
    let number = types.number(1);
    let definition = types.pointers(&[("type", number)]);
    let first = types.var("second", definition, crate::testing::GLOBAL);
    let second = types.var("first", definition, STATIC);
    // clang leaves the offset of the global one 0; its symbol says 32.
    types.datasec(".maps", &[[first, 0, 32], [second, 0, 32]]);
    let mut elf = Elf::new();
    let section = elf.data(".maps", &[0; 64]);
    elf.var(section, "second", 32, 32);
    elf.static_var(section, "first", 0, 32);
    elf.btf(&types);
    let found = maps(&elf).unwrap();
    let places: Vec<_> = found.iter().map(|map| (map.name.as_str(), map.place.offset)).collect();
    assert_eq!(places, [("first", 0), ("second", 32)]);
}

#[test]
fn a_map_may_ask_to_be_pinned_by_its_name() {
    let pinning = |n| map(move |types: &mut Types| vec![("type", types.number(1)), ("pinning", types.number(n))]);
    assert!(pinning(1).unwrap().pin_by_name);
    assert!(!pinning(0).unwrap().pin_by_name);
    let expected = "map `ports`: `pinning` is 7, expected 0 or 1 (by name)";
    assert_eq!(pinning(7), Err(expected.to_owned()));
}
