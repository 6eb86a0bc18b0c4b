//! The sizes and offsets that clang leaves to the linker are filled into the types.

use crate::btf::{Btf, Kind, VarSecinfo};
use crate::testing::{EXIT, Elf, GLOBAL, STATIC, Types, plan};

/// What the plan's types say of `.data`: its size and variables.
fn uploaded(elf: &mut Elf, types: &Types) -> (u32, Vec<VarSecinfo>) {
    elf.program("socket", "filter", EXIT);
    elf.btf(types);
    let plan = plan(&elf.build()).unwrap();
    let bytes = plan.btf().unwrap().btf.clone();
    assert_eq!(bytes.len(), types.build().len(), "nothing moves");
    match Btf::parse(&bytes).unwrap().datasec(".data").unwrap().1.kind {
        Kind::Datasec { size, vars } => (size, vars),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_datasec_gets_the_size_of_its_section() {
    let mut types = Types::new();
    types.datasec(".data", &[]);
    let mut elf = Elf::new();
    elf.data(".data", &[1; 24]);
    assert_eq!(uploaded(&mut elf, &types).0, 24);
}

#[test]
fn a_size_that_is_there_already_stays() {
    let mut types = Types::new();
    types.add(".data", crate::testing::kind::DATASEC, 0, 16, &[]);
    let mut elf = Elf::new();
    elf.data(".data", &[1; 24]);
    assert_eq!(uploaded(&mut elf, &types).0, 16);
}

#[test]
fn variables_get_the_offsets_of_their_symbols_and_are_sorted_by_them() {
    let mut types = Types::new();
    let int = types.int("int", 4, 0);
    let last = types.var("last", int, GLOBAL);
    let hidden = types.var("hidden", int, STATIC);
    let first = types.var("first", int, GLOBAL);
    types.datasec(".data", &[[last, 0, 4], [hidden, 4, 4], [first, 0, 4]]);
    let mut elf = Elf::new();
    let data = elf.data(".data", &[1; 12]);
    elf.var(data, "last", 8, 4);
    elf.var(data, "first", 0, 4);
    elf.static_var(data, "hidden", 4, 4);
    let place = |var, offset| VarSecinfo { var, offset, size: 4 };
    let expected = vec![place(first, 0), place(hidden, 4), place(last, 8)];
    assert_eq!(uploaded(&mut elf, &types), (12, expected));
}

#[test]
fn a_static_variable_does_not_get_the_offset_of_a_global_of_the_same_name() {
    let mut types = Types::new();
    let int = types.int("int", 4, 0);
    let hidden = types.var("twin", int, STATIC);
    types.datasec(".data", &[[hidden, 4, 4]]);
    let mut elf = Elf::new();
    let data = elf.data(".data", &[1; 8]);
    elf.var(data, "twin", 0, 4);
    elf.static_var(data, "twin", 4, 4);
    assert_eq!(uploaded(&mut elf, &types).1, [VarSecinfo { var: hidden, offset: 4, size: 4 }]);
}

#[test]
fn a_datasec_without_a_section_stays_as_it_is() {
    let mut types = Types::new();
    let int = types.int("int", 4, 0);
    let var = types.var("far", int, GLOBAL);
    types.datasec(".other", &[[var, 0, 4]]);
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    elf.btf(&types);
    assert_eq!(plan(&elf.build()).unwrap().btf().unwrap().btf, types.build());
}

#[test]
fn without_types_there_is_nothing_to_load() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    assert_eq!(plan(&elf.build()).unwrap().btf(), None);
}
