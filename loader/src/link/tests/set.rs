//! `--set`: what a global becomes, and what it cannot become.

use crate::link::{Options, PlanError};
use crate::plan::{Plan, Step};
use crate::target::Target;
use crate::testing::{BOOL, EXIT, Elf, GLOBAL, LDDW, R_BPF_64_64, SIGNED, Types, kind, plan_with};

/// Plans an object whose one global, `x`, has the type that `ty` makes and `size` bytes in `section`, set to `value`.
fn set_in(section: &str, ty: impl Fn(&mut Types) -> u32, size: usize, value: &str) -> Result<Plan, PlanError> {
    let mut types = Types::new();
    let ty = ty(&mut types);
    let var = types.var("x", ty, GLOBAL);
    types.datasec(section, &[[var, 0, size as u32]]);
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let data = if section == ".bss" { elf.bss(section, 16) } else { elf.data(section, &[0xaa; 16]) };
    let symbol = elf.var(data, "x", 0, size as u64);
    elf.reloc(code, 0, R_BPF_64_64, symbol);
    elf.btf(&types);
    plan_with(&elf.build(), &options("x", value), &Target::none())
}

fn options(name: &str, value: &str) -> Options {
    Options { set: vec![(name.to_owned(), value.to_owned())], ..Options::default() }
}

/// What is written into the map of `.data`: the bytes of `x`, or the problem.
fn set(ty: impl Fn(&mut Types) -> u32, size: usize, value: &str) -> Result<Vec<u8>, String> {
    let written = |plan: Plan| {
        plan.steps.into_iter().find_map(|step| match step {
            Step::MapUpdate(update) => Some(update.value),
            _ => None,
        })
    };
    let value = written(set_in(".data", ty, size, value).map_err(|e| e.to_string())?).unwrap();
    assert_eq!((value.len(), &value[size..]), (16, &[0xaa; 16][size..]), "the bytes after `x` stay");
    Ok(value[..size].to_vec())
}

/// A problem as the error says it.
fn problem(value: &str, text: &str) -> Result<Vec<u8>, String> {
    Err(format!("`x` cannot be `{value}`: {text}"))
}

#[test]
fn an_integer_is_written_in_its_size_little_endian() {
    assert_eq!(set(|types| types.int("u8", 1, 0), 1, "255"), Ok(vec![0xff]));
    assert_eq!(set(|types| types.int("u16", 2, 0), 2, "0x1234"), Ok(vec![0x34, 0x12]));
    assert_eq!(set(|types| types.int("u32", 4, 0), 4, "100"), Ok(vec![100, 0, 0, 0]));
    assert_eq!(set(|types| types.int("u64", 8, 0), 8, "18446744073709551615"), Ok(vec![0xff; 8]));
    assert_eq!(set(|types| types.int("s8", 1, SIGNED), 1, "-128"), Ok(vec![0x80]));
    assert_eq!(set(|types| types.int("s32", 4, SIGNED), 4, "-0x10"), Ok(vec![0xf0, 0xff, 0xff, 0xff]));
    assert_eq!(
        set(|types| types.int("s64", 8, SIGNED), 8, "-9223372036854775808"),
        Ok(vec![0, 0, 0, 0, 0, 0, 0, 0x80])
    );
}

#[test]
fn an_integer_out_of_range_is_refused_with_the_range() {
    assert_eq!(set(|types| types.int("u8", 1, 0), 1, "256"), problem("256", "out of range 0 to 255"));
    assert_eq!(set(|types| types.int("u8", 1, 0), 1, "-1"), problem("-1", "out of range 0 to 255"));
    assert_eq!(set(|types| types.int("s8", 1, SIGNED), 1, "128"), problem("128", "out of range -128 to 127"));
    let range = "out of range -2147483648 to 2147483647";
    assert_eq!(set(|types| types.int("s32", 4, SIGNED), 4, "2147483648"), problem("2147483648", range));
    let range = "out of range -9223372036854775808 to 9223372036854775807";
    assert_eq!(set(|types| types.int("s64", 8, SIGNED), 8, "0xffffffffffffffff"), problem("0xffffffffffffffff", range));
}

#[test]
fn what_is_no_number_is_refused() {
    for value in ["", "many", "0x", "1.5", "1 ", "18446744073709551616"] {
        let expected = problem(value, "expected a number (decimal or 0x…)");
        assert_eq!(set(|types| types.int("u32", 4, 0), 4, value), expected, "{value:?}");
    }
}

#[test]
fn what_c_reads_as_octal_is_refused_rather_than_read_as_decimal() {
    let why = "a number that begins with 0 is octal in C; write it in decimal or as 0x…";
    assert_eq!(set(|types| types.int("u32", 4, 0), 4, "010"), problem("010", why));
    assert_eq!(set(|types| types.int("u32", 4, 0), 4, "0"), Ok(vec![0; 4]));
}

#[test]
fn a_variable_is_set_once() {
    let twice =
        Options { set: vec![("x".to_owned(), "1".to_owned()), ("x".to_owned(), "2".to_owned())], ..Options::default() };
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    let error = plan_with(&elf.build(), &twice, &Target::none()).unwrap_err();
    assert_eq!(error.to_string(), "`x` is set twice");
}

#[test]
fn a_sign_is_written_once() {
    for value in ["--1", "0x-1", "+-1", "-+1", "0x+1", "+1"] {
        let expected = problem(value, "expected a number (decimal or 0x…)");
        assert_eq!(set(|types| types.int("s32", 4, SIGNED), 4, value), expected, "{value:?}");
    }
}

#[test]
fn a_bool_is_true_or_false() {
    for (value, byte) in [("true", 1), ("1", 1), ("false", 0), ("0", 0)] {
        assert_eq!(set(|types| types.int("bool", 1, BOOL), 1, value), Ok(vec![byte]));
    }
    assert_eq!(set(|types| types.int("bool", 1, BOOL), 1, "2"), problem("2", "expected true or false"));
}

fn colour(types: &mut Types) -> u32 {
    types.enumeration("colour", &[("RED", 1), ("BLUE", 5)])
}

#[test]
fn an_enum_takes_a_name_or_a_number() {
    assert_eq!(set(colour, 4, "BLUE"), Ok(vec![5, 0, 0, 0]));
    assert_eq!(set(colour, 4, "7"), Ok(vec![7, 0, 0, 0]), "C allows numbers without a name");
    assert_eq!(set(colour, 4, "GREEN"), problem("GREEN", "expected one of RED, BLUE"));
    assert_eq!(set(colour, 4, "-1"), problem("-1", "out of range 0 to 4294967295"));
    assert_eq!(set(|types| types.enumeration("sign", &[("MINUS", -1)]), 4, "MINUS"), Ok(vec![0xff; 4]));
    assert_eq!(set(|types| types.enumeration("sign", &[("MINUS", -1)]), 4, "-2"), Ok(vec![0xfe, 0xff, 0xff, 0xff]));
}

fn name(types: &mut Types) -> u32 {
    let char = types.int("char", 1, SIGNED);
    types.array(char, 8)
}

#[test]
fn an_array_of_chars_takes_a_text_and_is_filled_up_with_zeros() {
    assert_eq!(set(name, 8, "lo"), Ok(b"lo\0\0\0\0\0\0".to_vec()));
    assert_eq!(set(name, 8, ""), Ok(vec![0; 8]));
    assert_eq!(set(name, 8, "eight888"), Ok(b"eight888".to_vec()));
    assert_eq!(set(name, 8, "ninenine9"), problem("ninenine9", "9 bytes, but it holds 8"));
}

#[test]
fn typedefs_and_qualifiers_do_not_matter() {
    let ty = |types: &mut Types| {
        let int = types.int("unsigned int", 4, 0);
        let typedef = types.add("__u32", kind::TYPEDEF, 0, int, &[]);
        let constant = types.add("", kind::CONST, 0, typedef, &[]);
        types.add("", kind::VOLATILE, 0, constant, &[])
    };
    assert_eq!(set(ty, 4, "3"), Ok(vec![3, 0, 0, 0]));
}

#[test]
fn a_type_that_cannot_be_set_says_what_it_is() {
    let settable = "cannot be written; integers, bools, enums, char arrays, and arrays and structs of them can";
    assert_eq!(set(|types| types.ptr(0), 8, "1"), problem("1", &format!("a pointer {settable}")));
    assert_eq!(
        set(|types| types.pointers(&[("p", 0)]), 8, "1"),
        problem("1", "expected a struct: {member=value member=value}")
    );
    let words = |types: &mut Types| {
        let int = types.int("int", 4, SIGNED);
        types.array(int, 2)
    };
    assert_eq!(set(words, 8, "1"), problem("1", "expected an array: [1 2 3]"));
}

#[test]
fn types_and_symbols_that_disagree_are_refused() {
    assert_eq!(set(|types| types.int("u32", 4, 0), 2, "1"), problem("1", "BTF says 4 bytes, the symbol 2"));
}

#[test]
fn an_array_as_large_as_memory_is_refused_before_it_is_made() {
    let huge = |types: &mut Types| {
        let char = types.int("char", 1, 0);
        types.array(char, u32::MAX)
    };
    assert_eq!(set(huge, 8, "1"), problem("1", "BTF says 4294967295 bytes, the symbol 8"));
}

#[test]
fn an_integer_of_no_bytes_is_refused() {
    assert_eq!(set(|types| types.int("none", 0, SIGNED), 0, "1"), problem("1", "BTF says 0 bytes, the symbol 0"));
}

#[test]
fn an_integer_of_128_bits_is_extended_by_its_sign() {
    assert_eq!(set(|types| types.int("__int128", 16, SIGNED), 16, "-1"), Ok(vec![0xff; 16]));
}

#[test]
fn a_variable_outside_its_section_is_refused() {
    let expected = problem("1", "section `.data` of 16 bytes cannot be rewritten");
    let result = set_in(".data", |types| types.int("u32", 4, 0), 17, "1");
    assert_eq!(result.unwrap_err().to_string(), expected.unwrap_err());
}

#[test]
fn a_variable_of_zeros_makes_its_whole_section_written() {
    let plan = set_in(".bss", |types| types.int("u32", 4, 0), 4, "9").unwrap();
    let written: Vec<_> = plan.steps.iter().filter(|step| matches!(step, Step::MapUpdate(_))).collect();
    let [Step::MapUpdate(update)] = written[..] else { panic!("{written:?}") };
    assert_eq!(update.value, [&[9][..], &[0; 15]].concat());
}

#[test]
fn an_unknown_variable_is_told_the_known_ones() {
    let bytes = crate::testing::OBJECTS[0].1;
    let error = plan_with(bytes, &options("total", "1"), &Target::none()).unwrap_err();
    let known = "smallest_packet, total_packets, total_bytes";
    assert_eq!(error.to_string(), format!("no global variable `total` in this object; there are: {known}"));
}

#[test]
fn an_object_without_variables_says_so() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    let error = plan_with(&elf.build(), &options("x", "1"), &Target::none()).unwrap_err();
    assert_eq!(error.to_string(), "no global variable `x` in this object: it has none");
}

#[test]
fn a_variable_without_types_is_told_to_compile_with_them() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    let data = elf.data(".data", &[0; 4]);
    elf.var(data, "x", 0, 4);
    let error = plan_with(&elf.build(), &options("x", "1"), &Target::none()).unwrap_err();
    assert_eq!(error.to_string(), "`x` cannot be `1`: its type is unknown: compile with -g");
    elf.btf(&Types::new());
    let error = plan_with(&elf.build(), &options("x", "1"), &Target::none()).unwrap_err();
    assert_eq!(error.to_string(), "`x` cannot be `1`: its BTF has no type for it");
}

#[test]
fn a_variable_that_no_loaded_program_uses_is_refused() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    let mut types = Types::new();
    let int = types.int("u32", 4, 0);
    let var = types.var("x", int, GLOBAL);
    types.datasec(".data", &[[var, 0, 4]]);
    let data = elf.data(".data", &[1; 4]);
    elf.var(data, "x", 0, 4);
    elf.btf(&types);
    let error = plan_with(&elf.build(), &options("x", "5"), &Target::none()).unwrap_err();
    assert_eq!(error.to_string(), "`x` would be set to no effect: no program to be loaded uses section `.data`");
}
