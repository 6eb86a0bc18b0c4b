//! Maps: where each number of a definition stands, and whether the map will be there.

use super::facts;
use crate::explain::facts::{Facts, MapFacts};
use crate::testing::{EXIT, Elf, LDDW, OBJECTS, R_BPF_64_64, R0, Types};

pub(super) fn of_map<'f>(facts: &'f Facts, name: &str) -> &'f MapFacts {
    facts.maps.iter().find(|map| map.name == name).unwrap()
}

/// Members of a definition: name, value, what it sets.
fn members(map: &MapFacts) -> Vec<(&str, Option<u64>, &str)> {
    map.definition.iter().map(|member| (member.name.as_str(), member.value, member.sets.as_str())).collect()
}

#[test]
fn each_number_of_a_definition_is_followed_through_the_types() {
    let facts = facts(OBJECTS[0].1);
    let ports = of_map(&facts, "ports");
    let from: Vec<_> = ports.definition.iter().map(|member| member.from.as_str()).collect();
    let expected = [
        "PTR [1] -> ARRAY [3] of 1",
        "PTR [5] -> ARRAY [6] of 1024",
        "PTR [7] -> TYPEDEF __u16 [8] -> INT unsigned short [9]",
        "PTR [10] -> STRUCT traffic [11]",
    ];
    assert_eq!(from, expected);
    let expected = [
        ("type", Some(1), "map_type = BPF_MAP_TYPE_HASH"),
        ("max_entries", Some(1024), "max_entries = 1024"),
        ("key", Some(2), "key_size = 2, btf_key_type_id = 8"),
        ("value", Some(16), "value_size = 16, btf_value_type_id = 11"),
    ];
    assert_eq!(members(ports), expected);
}

#[test]
fn what_a_definition_sets_is_what_the_map_is_created_with() {
    for (name, bytes) in OBJECTS {
        let facts = facts(bytes);
        for map in facts.maps.iter().filter(|map| map.created) {
            let step =
                facts.steps.iter().find(|step| step.call.why.starts_with(&format!("map `{}`", map.name))).unwrap();
            let attr = step.call.json();
            for sets in map.definition.iter().flat_map(|member| member.sets.split(", ")) {
                let (field, value) = sets.split_once(" = ").unwrap();
                assert_eq!(attr["attr"][field].to_string().trim_matches('"'), value, "{name}, {}", map.name);
            }
        }
    }
}

#[test]
fn a_legacy_definition_is_read_byte_by_byte() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let words = [2u32, 4, 8, 16, 0];
    let maps = elf.data("maps", &words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    let counts = elf.var(maps, "counts", 0, 20);
    elf.reloc(code, 0, R_BPF_64_64, counts);
    let facts = facts(&elf.build());
    let counts = of_map(&facts, "counts");
    assert_eq!(counts.definition[3].from, "the word at byte 0xc");
    assert_eq!(members(counts)[3], ("max_entries", Some(16), "max_entries = 16"));
    assert_eq!(counts.why, "created: program `filter` uses it");
}

#[test]
fn a_map_that_nobody_uses_says_that_it_is_not_created() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[R0, EXIT].concat());
    let data = elf.data(".data", &[1]);
    elf.var(data, "state", 0, 1);
    let facts = facts(&elf.build());
    let data = of_map(&facts, ".data");
    assert_eq!((data.created, data.why.as_str()), (false, "not created: no program to be loaded reaches it"));
    assert_eq!(data.variables[0].name, "state");
}

/// `outer` holds a map in slot 1.
pub(super) fn map_of_maps() -> Vec<u8> {
    let mut types = Types::new();
    let (hash, array_of_maps, four) = (types.number(1), types.number(12), types.number(4));
    let members = [("type", hash), ("key_size", four), ("value_size", four), ("max_entries", four)];
    let inner = types.pointers(&members);
    let pointer = types.ptr(inner);
    let values = types.array(pointer, 0);
    let members = [("type", array_of_maps), ("key_size", four), ("max_entries", four), ("values", values)];
    let outer = types.pointers(&members);
    let vars = [[types.var("one", inner, 1), 0, 32], [types.var("outer", outer, 1), 32, 48]];
    types.datasec(".maps", &vars);

    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let maps = elf.data(".maps", &[0; 80]);
    let one = elf.var(maps, "one", 0, 32);
    let outer = elf.var(maps, "outer", 32, 48);
    elf.reloc(code, 0, R_BPF_64_64, outer);
    elf.reloc(maps, 32 + 24 + 8, 2, one);
    elf.btf(&types);
    elf.build()
}

#[test]
fn a_map_of_maps_says_what_it_holds() {
    let facts = facts(&map_of_maps());
    let outer = of_map(&facts, "outer");
    assert_eq!(outer.slots, ["[1] = one"]);
    assert!(outer.definition.iter().any(|member| member.name == "values.type"), "{:?}", outer.definition);
    assert_eq!(of_map(&facts, "one").why, "created: held by map `outer`");
}
