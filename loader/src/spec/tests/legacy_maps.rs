//! Maps defined by the bytes of a `maps` section.

use super::maps;
use crate::spec::MapOrigin;
use crate::testing::{EXIT, Elf};

/// `struct bpf_map_def`: type 1 (hash), key of 2 bytes, value of 16, 1024 entries, flags 1.
const PORTS: [u32; 5] = [1, 2, 16, 1024, 1];

/// A `maps` section of these words, and in it a map of each name and byte offset.
fn section(words: &[u32], symbols: &[(&str, u64)]) -> Elf {
    let mut elf = Elf::new();
    let maps = elf.data("maps", &words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    for (name, offset) in symbols {
        elf.var(maps, name, *offset, 0);
    }
    elf
}

#[test]
fn the_five_words_are_type_sizes_entries_and_flags() {
    let map = maps(&section(&PORTS, &[("ports", 0)])).unwrap().remove(0);
    assert_eq!((map.name.as_str(), map.origin, map.extent), ("ports", MapOrigin::Legacy, 20));
    assert_eq!((map.attr.map_type, map.attr.key_size, map.attr.value_size), (1, 2, 16));
    assert_eq!((map.attr.max_entries, map.attr.map_flags, map.attr.btf_key_type_id), (1024, 1, 0));
}

#[test]
fn the_id_and_pinning_of_other_loaders_do_not_count() {
    let namespace = [0x2f73_6174; 64];
    for rest in [&[7, 2][..], &[7, 2, 0, 0], &[&[2], &namespace[..]].concat()] {
        let words = [&PORTS[..], rest].concat();
        let map = maps(&section(&words, &[("ports", 0)])).unwrap().remove(0);
        assert_eq!((map.extent, map.attr.max_entries), (words.len() as u64 * 4, 1024));
    }
}

#[test]
fn an_inner_map_is_refused() {
    let words = [&PORTS[..], &[0, 0, 3]].concat();
    let expected = "section `maps`, map `ports`: the word at byte 28 is 0x3, expected 0: \
        an inner map can only be defined in .maps";
    assert_eq!(maps(&section(&words, &[("ports", 0)])), Err(expected.to_owned()));
}

#[test]
fn each_map_reaches_to_the_next() {
    let words = [&PORTS[..], &[2, 4, 8, 1, 0, 0, 0]].concat();
    let found = maps(&section(&words, &[("totals", 20), ("ports", 0)])).unwrap();
    let shapes: Vec<_> = found.iter().map(|map| (map.name.as_str(), map.place.offset, map.extent)).collect();
    assert_eq!(shapes, [("ports", 0, 20), ("totals", 20, 28)]);
}

#[test]
fn a_definition_that_is_cut_short_is_an_error() {
    let expected = "section `maps`, map `ports`: 16 bytes, expected at least 20";
    assert_eq!(maps(&section(&PORTS[..4], &[("ports", 0)])), Err(expected.to_owned()));
}

#[test]
fn a_definition_outside_the_section_is_an_error() {
    let expected = "section `maps`, map `ports`: 0 bytes, expected at least 20";
    assert_eq!(maps(&section(&PORTS, &[("ports", 64)])), Err(expected.to_owned()));
    assert_eq!(maps(&section(&PORTS, &[("ports", u64::MAX)])), Err(expected.to_owned()));
}

#[test]
fn static_maps_and_sections_with_a_suffix_count_too() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    let section = elf.data("maps/ports", &PORTS.map(u32::to_le_bytes).concat());
    elf.static_var(section, "ports", 0, 20);
    assert_eq!(maps(&elf).unwrap()[0].name, "ports");
}
