//! Maps of maps, and program arrays: what is created, in which order, and what goes in.

use object::write::SymbolId;

use crate::plan::{LinkErrorKind, Plan};
use crate::testing::{EXIT, Elf, LDDW, R_BPF_64_64, Types, kind as btf_kind, plan, steps};

/// A pointer in data.
const R_BPF_64_ABS64: u32 = 2;
const ARRAY_OF_MAPS: u32 = 12;
const PROG_ARRAY: u32 = 3;

/// An object with the maps `outer` (of this type, one slot) and `inner`, 32 bytes each, and a program that uses `outer`. `held`
/// makes the symbol that goes into the slot.
fn nested(map_type: u32, held: impl Fn(&mut Elf, SymbolId) -> SymbolId) -> Plan {
    let mut types = Types::new();
    let (array, one) = (types.number(2), types.number(1));
    let inner = types.pointers(&[("type", array), ("max_entries", one)]);
    let content = match map_type {
        PROG_ARRAY => types.add("", btf_kind::FUNC_PROTO, 0, 0, &[]),
        _ => inner,
    };
    let pointer = types.ptr(content);
    let (outer_type, values) = (types.number(map_type), types.array(pointer, 1));
    let outer = types.pointers(&[("type", outer_type), ("max_entries", one), ("values", values)]);
    types.maps(&[("outer", outer), ("inner", inner)]);

    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let maps = elf.data(".maps", &[0; 64]);
    let outer = elf.var(maps, "outer", 0, 32);
    let inner = elf.var(maps, "inner", 32, 32);
    let held = held(&mut elf, inner);
    elf.reloc(code, 0, R_BPF_64_64, outer);
    elf.reloc(maps, 16, R_BPF_64_ABS64, held); // `values` is the third member
    elf.btf(&types);
    plan(&elf.build()).unwrap()
}

#[test]
fn what_a_map_holds_is_created_before_it_and_put_in_after_it() {
    let plan = nested(ARRAY_OF_MAPS, |_, inner| inner);
    let expected =
        ["btf", "create inner", "create outer.inner", "create outer", "put inner into outer[0]", "load filter"];
    assert_eq!(steps(&plan), expected);
    let outer = plan.maps().find(|map| map.name == "outer").unwrap();
    let pattern = plan.map(outer.inner.unwrap()).unwrap();
    assert!(pattern.is_pattern);
    assert_eq!((outer.attr.value_size, pattern.attr.map_type, pattern.attr.max_entries), (4, 2, 1));
}

#[test]
fn a_sibling_is_loaded_first_and_put_in_last() {
    let plan = nested(PROG_ARRAY, |elf, _| {
        let code = elf.code("?socket", EXIT);
        elf.func(code, "sibling", 0, 8)
    });
    let expected = ["btf", "create outer", "load sibling", "load filter", "put sibling into outer[0]"];
    assert_eq!(steps(&plan), expected);
}

#[test]
fn a_slot_that_holds_neither_map_nor_program_is_an_error() {
    let plan = nested(ARRAY_OF_MAPS, |elf, _| {
        let data = elf.data(".data", &[1; 8]);
        elf.var(data, "limit", 4, 4)
    });
    assert_eq!(super::kind(&plan), LinkErrorKind::BadSlot { map: "outer".to_owned(), index: 0 });
}

#[test]
fn a_map_that_is_not_defined_here_is_an_error() {
    let plan = nested(ARRAY_OF_MAPS, |elf, _| {
        let nowhere = object::write::SymbolSection::Undefined;
        elf.symbol(nowhere, "elsewhere", object::SymbolKind::Data, 0, 0, object::SymbolScope::Dynamic)
    });
    let message = super::link_error(&plan).to_string();
    assert!(message.contains("map `outer`: `values` holds `elsewhere`, which is not defined"), "{message}");
}
