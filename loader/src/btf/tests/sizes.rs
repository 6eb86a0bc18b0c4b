//! Chains of types: what they end at, how large it is, and that endless ones end.

use crate::btf::{Btf, Kind, MAX_DEPTH};
use crate::testing::{SIGNED, STATIC, Types, kind};

/// The size of a type, or why it has none.
fn size(types: &Types, id: u32) -> Result<u64, String> {
    let bytes = types.build();
    Btf::parse(&bytes).unwrap().size_of(id).map_err(|e| e.to_string())
}

#[test]
fn typedefs_and_qualifiers_stand_for_what_they_name() {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    let mut id = int;
    for kind in [kind::TYPEDEF, kind::CONST, kind::VOLATILE, kind::RESTRICT, kind::TYPE_TAG] {
        id = types.add("", kind, 0, id, &[]);
    }
    let bytes = types.build();
    let (found, ty) = Btf::parse(&bytes).unwrap().resolve(id).unwrap();
    assert_eq!((found, ty.name), (int, "int"));
    assert_eq!(size(&types, id), Ok(4));
}

#[test]
fn a_typedef_of_itself_is_an_error() {
    let mut types = Types::new();
    types.add("loop", kind::TYPEDEF, 0, 1, &[]);
    let bytes = types.build();
    let error = Btf::parse(&bytes).unwrap().resolve(1).unwrap_err();
    assert_eq!(error.to_string(), ".BTF: type 1: more than 32 typedefs and qualifiers in a row");
    assert_eq!(size(&types, 1), Err(error.to_string()));
}

#[test]
fn two_types_that_name_each_other_are_an_error() {
    let mut types = Types::new();
    types.add("a", kind::CONST, 0, 2, &[]);
    types.add("b", kind::VOLATILE, 0, 1, &[]);
    assert!(size(&types, 1).unwrap_err().contains("in a row"));
}

#[test]
fn a_chain_may_be_as_long_as_the_limit_and_no_longer() {
    let mut types = Types::new();
    let mut id = types.int("int", 4, SIGNED);
    for _ in 1..MAX_DEPTH {
        id = types.add("longer", kind::TYPEDEF, 0, id, &[]);
    }
    assert_eq!(size(&types, id), Ok(4));
    id = types.add("too_long", kind::TYPEDEF, 0, id, &[]);
    assert!(size(&types, id).is_err());
}

#[test]
fn an_array_of_itself_is_an_error() {
    let mut types = Types::new();
    types.array(1, 2);
    assert_eq!(size(&types, 1), Err(".BTF: type 1: arrays nested more than 32 deep".to_owned()));
}

#[test]
fn sizes_follow_the_kind() {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    let ptr = types.ptr(0);
    let row = types.array(int, 3);
    let table = types.array(row, 5);
    let structure = types.pointers(&[("a", ptr), ("b", ptr)]);
    let union = types.add("u", kind::UNION, 0, 24, &[]);
    let var = types.var("v", table, STATIC);
    let float = types.add("double", kind::FLOAT, 0, 8, &[]);
    let enum64 = types.add("e", kind::ENUM64, 0, 8, &[]);
    let sizes = [(int, 4), (ptr, 8), (row, 12), (table, 60), (structure, 16), (union, 24), (var, 60)];
    for (id, expected) in sizes.into_iter().chain([(float, 8), (enum64, 8)]) {
        assert_eq!(size(&types, id), Ok(expected));
    }
}

#[test]
fn the_size_of_a_huge_array_does_not_overflow() {
    let mut types = Types::new();
    let mut id = types.int("int", 4, SIGNED);
    for _ in 0..4 {
        id = types.array(id, u32::MAX);
    }
    assert_eq!(size(&types, id), Ok(u64::MAX));
}

#[test]
fn what_has_no_size_says_what_it_is() {
    let mut types = Types::new();
    let func = types.func("f");
    let fwd = types.add("later", kind::FWD, 0, 0, &[]);
    assert_eq!(size(&types, 0), Err(".BTF: type 0: void has no size".to_owned()));
    assert_eq!(size(&types, func), Err(format!(".BTF: type {func}: a function has no size")));
    assert_eq!(size(&types, fwd), Err(format!(".BTF: type {fwd}: a forward declaration has no size")));
}

#[test]
fn a_size_is_needed_of_the_type_at_the_end_of_the_chain() {
    let mut types = Types::new();
    let missing = types.add("missing", kind::TYPEDEF, 0, 77, &[]);
    assert_eq!(size(&types, missing), Err(".BTF: type 77: does not exist: the last is 1".to_owned()));
}

#[test]
fn the_end_of_a_chain_is_the_last_type_that_is_no_other_name() {
    let mut types = Types::new();
    let ptr = types.ptr(0);
    let name = types.add("handle", kind::TYPEDEF, 0, ptr, &[]);
    let bytes = types.build();
    let (id, ty) = Btf::parse(&bytes).unwrap().resolve(name).unwrap();
    assert!(id == ptr && matches!(ty.kind, Kind::Ptr(0)), "a pointer is not followed");
}
