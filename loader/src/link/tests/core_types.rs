//! CO-RE questions about types as a whole: compatible, and matching.

use super::core::{mov, relocated, structure};
use crate::testing::{SIGNED, Types, kind};

const TYPE_EXISTS: u32 = 8;
const TYPE_MATCHES: u32 = 12;

/// Whether the type that `there` makes is what the one that `here` makes is taken for: 1 or 0.
fn answer(relo: u32, here: impl Fn(&mut Types) -> u32, there: impl Fn(&mut Types) -> u32) -> i32 {
    relocated(mov(1), ("0", relo), here, there).unwrap().imm
}

/// A typedef `it` of the type that `make` makes, so that both sides have a name.
fn named(make: impl Fn(&mut Types) -> u32) -> impl Fn(&mut Types) -> u32 {
    move |types| {
        let ty = make(types);
        types.add("it", kind::TYPEDEF, 0, ty, &[])
    }
}

fn int(size: u32, encoding: u32) -> impl Fn(&mut Types) -> u32 {
    move |types| types.int("number", size, encoding)
}

/// `struct it`, of members that are all `u32`.
fn members(names: &'static [&'static str]) -> impl Fn(&mut Types) -> u32 {
    move |types| {
        let int = types.int("u32", 4, 0);
        let members: Vec<_> = names.iter().zip(0..).map(|(name, at)| (*name, int, 32 * at)).collect();
        structure(types, "it", 4 * names.len() as u32, &members)
    }
}

#[test]
fn compatible_types_are_of_one_kind_whatever_their_size() {
    assert_eq!(answer(TYPE_EXISTS, named(int(4, 0)), named(int(8, SIGNED))), 1);
    assert_eq!(answer(TYPE_EXISTS, members(&["a"]), members(&["b", "c"])), 1);
    let pointer_to = |make: fn(&mut Types) -> u32| {
        named(move |types: &mut Types| {
            let ty = make(types);
            types.ptr(ty)
        })
    };
    let to_int = |types: &mut Types| types.int("int", 4, 0);
    let to_struct = |types: &mut Types| structure(types, "other", 0, &[]);
    assert_eq!(answer(TYPE_EXISTS, pointer_to(to_int), pointer_to(to_int)), 1);
    assert_eq!(answer(TYPE_EXISTS, pointer_to(to_int), pointer_to(to_struct)), 0);
}

#[test]
fn prototypes_are_compatible_parameter_by_parameter() {
    let proto = |params: &'static [u32]| {
        named(move |types: &mut Types| {
            let int = types.int("int", 4, 0);
            let pointer = types.ptr(int);
            let params: Vec<_> = params.iter().flat_map(|param| [0, if *param == 0 { int } else { pointer }]).collect();
            types.add("", kind::FUNC_PROTO, params.len() / 2, int, &params)
        })
    };
    assert_eq!(answer(TYPE_EXISTS, proto(&[0, 1]), proto(&[0, 1])), 1);
    assert_eq!(answer(TYPE_EXISTS, proto(&[0, 1]), proto(&[1, 0])), 0);
    assert_eq!(answer(TYPE_EXISTS, proto(&[0]), proto(&[0, 0])), 0);
}

#[test]
fn a_matching_struct_has_at_least_the_members_asked_for_in_any_order() {
    assert_eq!(answer(TYPE_MATCHES, members(&["a"]), members(&["b", "a"])), 1);
    assert_eq!(answer(TYPE_MATCHES, members(&["a", "b"]), members(&["a"])), 0);
    assert_eq!(answer(TYPE_MATCHES, members(&["a___mine"]), members(&["a"])), 1, "flavours do not count");
    let signed = |types: &mut Types| {
        let int = types.int("int", 4, SIGNED);
        structure(types, "it", 4, &[("a", int, 0)])
    };
    assert_eq!(answer(TYPE_MATCHES, members(&["a"]), signed), 0, "but signs do");
}

#[test]
fn matching_numbers_have_one_size_and_arrays_one_length() {
    let same_name = |size| named(int(size, 0));
    assert_eq!(answer(TYPE_MATCHES, same_name(4), same_name(4)), 1);
    assert_eq!(answer(TYPE_MATCHES, same_name(4), same_name(8)), 0);
    let array = |count| {
        named(move |types: &mut Types| {
            let int = types.int("int", 4, 0);
            types.array(int, count)
        })
    };
    assert_eq!(answer(TYPE_MATCHES, array(3), array(3)), 1);
    assert_eq!(answer(TYPE_MATCHES, array(3), array(4)), 0);
}

#[test]
fn a_matching_enum_has_the_items_whatever_their_values() {
    let items = |items: &'static [(&'static str, i32)]| move |types: &mut Types| types.enumeration("it", items);
    assert_eq!(answer(TYPE_MATCHES, items(&[("A", 1)]), items(&[("B", 1), ("A", 5)])), 1);
    assert_eq!(answer(TYPE_MATCHES, items(&[("A", 1), ("C", 2)]), items(&[("A", 1), ("B", 2)])), 0);
}

#[test]
fn behind_a_pointer_only_the_name_of_a_struct_counts() {
    let behind = |name: &'static str, kind: u32, member: &'static str| {
        named(move |types: &mut Types| {
            let int = types.int("int", 4, 0);
            let rest = [types.string(member), int, 0];
            let rest = if kind == kind::FWD { &[] } else { &rest[..] };
            let ty = types.add(name, kind, rest.len() / 3, 4, rest);
            types.ptr(ty)
        })
    };
    let other = behind("other", kind::STRUCT, "a");
    assert_eq!(answer(TYPE_MATCHES, &other, behind("other", kind::STRUCT, "b")), 1);
    assert_eq!(answer(TYPE_MATCHES, &other, behind("another", kind::STRUCT, "a")), 0);
    assert_eq!(answer(TYPE_MATCHES, &other, behind("other", kind::FWD, "")), 1, "a declaration will do");
    assert_eq!(answer(TYPE_MATCHES, behind("other", kind::FWD, ""), behind("other", kind::UNION, "a")), 0);
}

#[test]
fn a_type_that_is_not_there_does_not_match() {
    assert_eq!(answer(TYPE_MATCHES, members(&["a"]), int(4, 0)), 0);
}

#[test]
fn types_that_hold_themselves_end_in_an_error() {
    // A chain of pointers to pointers …: type 2 points to itself.
    let endless = |types: &mut Types| {
        types.add("it", kind::TYPEDEF, 0, 2, &[]);
        types.ptr(2);
        1
    };
    let error = relocated(mov(1), ("0", TYPE_EXISTS), endless, endless).unwrap_err();
    assert!(error.ends_with("types nested too deeply"), "{error}");
    let error = relocated(mov(1), ("0", TYPE_MATCHES), endless, endless).unwrap_err();
    assert!(error.ends_with("types nested too deeply"), "{error}");
}
