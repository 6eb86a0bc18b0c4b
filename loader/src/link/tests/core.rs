//! CO-RE with hand-made types on both sides.

use crate::insn::Insn;
use crate::link::Options;
use crate::plan::{Fate, LinkErrorKind, Needs, PatchKind};
use crate::target::{Target, TargetBtf};
use crate::testing::{EXIT, Elf, SIGNED, Types, btf_ext, kind, plan_with, program};

const BYTE_OFFSET: u32 = 0;
const BYTE_SIZE: u32 = 1;
const FIELD_EXISTS: u32 = 2;
const LEFT_SHIFT: u32 = 4;
const RIGHT_SHIFT: u32 = 5;
const TYPE_SIZE: u32 = 9;
const ENUM_VALUE: u32 = 11;

/// `r1 = imm`, `r1 = *(u32 *)(r1 + off)`.
pub(super) fn mov(imm: i32) -> Insn {
    Insn { code: 0xb7, regs: 0x01, off: 0, imm }
}

fn load32(off: i16) -> Insn {
    Insn { code: 0x61, regs: 0x11, off, imm: 0 }
}

/// A struct or union: name, bytes, and each member's name, type and first bit.
fn composite(types: &mut Types, kind: u32, name: &str, size: u32, members: &[(&str, u32, u32)]) -> u32 {
    let mut rest = Vec::new();
    for (name, ty, bit) in members {
        rest.extend([types.string(name), *ty, *bit]);
    }
    types.add(name, kind, members.len(), size, &rest)
}

pub(super) fn structure(types: &mut Types, name: &str, size: u32, members: &[(&str, u32, u32)]) -> u32 {
    composite(types, kind::STRUCT, name, size, members)
}

/// What an instruction becomes whose record wants `relo` of the part `access` of the type that `local` makes, on a kernel with
/// the types that `target` makes. An error as it is said.
pub(super) fn relocated<T>(
    insn: Insn,
    record: (&str, u32),
    local: impl Fn(&mut Types) -> u32,
    target: impl Fn(&mut Types) -> T,
) -> Result<Insn, String> {
    said(insn, record, local, target).map(|(insn, _)| insn)
}

/// The same, with what the plan says of it.
fn said<T>(
    insn: Insn,
    (access, relo): (&str, u32),
    local: impl Fn(&mut Types) -> u32,
    target: impl Fn(&mut Types) -> T,
) -> Result<(Insn, String), String> {
    let mut types = Types::new();
    let ty = local(&mut types);
    let access = types.string(access);
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[&insn.encode()[..], EXIT].concat());
    let ext = btf_ext(&mut types, &[], &[], &[("socket", &[[0, ty, access, relo]])]);
    elf.btf(&types);
    elf.data(".BTF.ext", &ext);
    let mut kernel = Types::new();
    target(&mut kernel);
    let target = Target { btf: TargetBtf::Bytes(kernel.build()), ..Target::none() };
    let plan = plan_with(&elf.build(), &Options::default(), &target).unwrap();
    match &plan.programs[0].fate {
        Fate::Unlinkable(error) => match &error.kind {
            LinkErrorKind::Core(problem) => Err(problem.clone()),
            other => panic!("{other}"),
        },
        _ => {
            let program = program(&plan, "filter");
            Ok((program.resolve(|_| 0)[0], program.patches[0].symbol.clone()))
        }
    }
}

/// `struct task { u32 state; u32 pid; }`.
fn task(types: &mut Types) -> u32 {
    let int = types.int("u32", 4, 0);
    structure(types, "task", 8, &[("state", int, 0), ("pid", int, 32)])
}

#[test]
fn a_member_is_found_by_its_name_wherever_it_is() {
    let moved = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        structure(types, "task", 24, &[("pid", int, 128), ("state", int, 160)]);
    };
    assert_eq!(relocated(mov(4), ("0:1", BYTE_OFFSET), task, moved), Ok(mov(16)));
    assert_eq!(relocated(load32(4), ("0:1", BYTE_OFFSET), task, moved), Ok(load32(16)));
    assert_eq!(relocated(mov(12), ("1:1", BYTE_OFFSET), task, moved), Ok(mov(40)), "of the second in an array");
    assert_eq!(relocated(mov(8), ("0", TYPE_SIZE), task, moved), Ok(mov(24)));
}

#[test]
fn anonymous_structs_and_unions_are_passed_through_on_both_sides() {
    let wrapped = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        let inner = structure(types, "", 8, &[("other", int, 0), ("pid", int, 32)]);
        let union = composite(types, kind::UNION, "", 8, &[("raw", int, 0), ("", inner, 0)]);
        structure(types, "task", 16, &[("state", int, 0), ("", union, 64)])
    };
    let kernel = wrapped;
    assert_eq!(relocated(mov(4), ("0:1", BYTE_OFFSET), task, kernel), Ok(mov(12)));
    let kernel = task;
    assert_eq!(relocated(mov(12), ("0:1:1:1", BYTE_OFFSET), wrapped, kernel), Ok(mov(4)));
}

#[test]
fn a_flavour_is_not_part_of_the_name() {
    let old = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        structure(types, "task___old", 4, &[("pid", int, 0)])
    };
    assert_eq!(relocated(mov(0), ("0:0", BYTE_OFFSET), old, task), Ok(mov(4)));
}

#[test]
fn a_field_that_is_there_as_something_else_is_said_to_be_so() {
    let array = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        let array = types.array(int, 4);
        structure(types, "task", 16, &[("pid", array, 0)])
    };
    let wide = |types: &mut Types| {
        let int = types.int("s64", 8, SIGNED);
        structure(types, "task", 8, &[("pid", int, 0)])
    };
    let text = |insn, record, local: fn(&mut Types) -> u32, target: fn(&mut Types) -> u32| {
        said(insn, record, local, target).map(|(_, text)| text)
    };
    for (made, expected) in [
        (
            text(mov(4), ("0:1", BYTE_OFFSET), task, array),
            "byte offset of struct task.pid: 4 here, not there (`pid` is an array of 4, not an unsigned integer of 4 bytes)",
        ),
        (
            text(mov(1), ("0:1", FIELD_EXISTS), task, array),
            "existence of struct task.pid: 1 here, 0 there (`pid` is an array of 4, not an unsigned integer of 4 bytes)",
        ),
        (
            text(load32(4), ("0:1", BYTE_OFFSET), task, wide),
            "byte offset of struct task.pid: 4 here, 0 there (`pid` is a signed integer of 8 bytes, not an unsigned integer of 4 bytes)",
        ),
        (text(mov(4), ("0:1", BYTE_OFFSET), task, wide), "byte offset of struct task.pid: 4 here, 0 there"),
        (text(mov(0), ("0:0", BYTE_OFFSET), task, array), "byte offset of struct task.state: 0 here, not there"),
    ] {
        assert_eq!(made.as_deref(), Ok(expected));
    }
}

#[test]
fn what_is_not_there_does_not_exist_and_its_offset_is_a_call_of_nobodys_helper() {
    let kernel = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        structure(types, "task", 4, &[("state", int, 0)]);
    };
    assert_eq!(relocated(mov(1), ("0:1", FIELD_EXISTS), task, kernel), Ok(mov(0)));
    let poison = Insn { code: Insn::CALL, regs: 0, off: 0, imm: 195_896_080 };
    assert_eq!(relocated(mov(4), ("0:1", BYTE_OFFSET), task, kernel), Ok(poison));
    assert_eq!(relocated(mov(8), ("0", TYPE_SIZE), task, |types| types.int("u32", 4, 0)), Ok(mov(0)));
}

#[test]
fn a_member_of_another_kind_is_not_the_same() {
    let kernel = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        let pointer = types.ptr(int);
        structure(types, "task", 16, &[("state", int, 0), ("pid", pointer, 64)]);
    };
    assert_eq!(relocated(mov(1), ("0:1", FIELD_EXISTS), task, kernel), Ok(mov(0)));
}

#[test]
fn an_array_has_elements_up_to_its_length_or_any_if_it_has_none() {
    let comm = |count: u32| {
        move |types: &mut Types| {
            let int = types.int("char", 1, 0);
            let array = types.array(int, count);
            structure(types, "task", 20, &[("comm", array, 32)])
        }
    };
    let kernel = comm;
    assert_eq!(relocated(mov(7), ("0:0:3", BYTE_OFFSET), comm(16), kernel(4)), Ok(mov(7)));
    assert_eq!(relocated(mov(1), ("0:0:3", FIELD_EXISTS), comm(16), kernel(3)), Ok(mov(0)));
    assert_eq!(relocated(mov(1), ("0:0:3", FIELD_EXISTS), comm(16), kernel(0)), Ok(mov(1)));
}

#[test]
fn a_load_takes_the_size_that_the_field_has_there_unless_a_sign_would_be_lost() {
    let of_size = |size: u32, encoding: u32| {
        move |types: &mut Types| {
            let int = types.int("int", size, encoding);
            structure(types, "task", 8, &[("pid", int, 0)])
        }
    };
    let kernel = of_size;
    let load64 = Insn { code: 0x79, ..load32(0) };
    assert_eq!(relocated(load32(0), ("0:0", BYTE_OFFSET), of_size(4, 0), kernel(8, 0)), Ok(load64));
    let poison = Insn { code: Insn::CALL, regs: 0, off: 0, imm: 195_896_080 };
    assert_eq!(relocated(load32(0), ("0:0", BYTE_OFFSET), of_size(4, SIGNED), kernel(8, SIGNED)), Ok(poison));
}

#[test]
fn a_bit_field_is_shifted_out_of_the_bytes_around_it() {
    let field = |types: &mut Types, bit: u32, bits: u32| {
        let int = types.int("u8", 1, 0);
        let (name, flag) = (types.string("kind"), kind::FLAG);
        types.add("task", kind::STRUCT | flag, 1, 8, &[name, int, bits << 24 | bit])
    };
    let here = |types: &mut Types| field(types, 0, 3);
    let there = |types: &mut Types| field(types, 18, 3);
    assert_eq!(relocated(mov(0), ("0:0", BYTE_OFFSET), here, there), Ok(mov(2)));
    assert_eq!(relocated(mov(1), ("0:0", BYTE_SIZE), here, there), Ok(mov(1)));
    assert_eq!(relocated(mov(61), ("0:0", LEFT_SHIFT), here, there), Ok(mov(64 - (2 + 3))));
    assert_eq!(relocated(mov(61), ("0:0", RIGHT_SHIFT), here, there), Ok(mov(61)));
    let across = |types: &mut Types| field(types, 6, 4);
    assert_eq!(relocated(mov(1), ("0:0", BYTE_SIZE), here, across), Ok(mov(2)), "over the edge of a byte");
}

#[test]
fn an_enums_value_is_found_by_its_name() {
    let here = |types: &mut Types| types.enumeration("state___mine", &[("RUNNING___mine", 7)]);
    let there = |types: &mut Types| types.enumeration("state", &[("IDLE", 1), ("RUNNING", -3)]);
    assert_eq!(relocated(mov(7), ("0", ENUM_VALUE), here, there), Ok(mov(-3)));
}

#[test]
fn a_typedef_that_stands_for_another_kind_of_type_is_not_the_same() {
    let here = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        let pair = structure(types, "", 4, &[("x", int, 0)]);
        types.add("pid_t", kind::TYPEDEF, 0, pair, &[])
    };
    let number = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        types.add("pid_t", kind::TYPEDEF, 0, int, &[])
    };
    assert_eq!(relocated(mov(4), ("0", TYPE_SIZE), here, here), Ok(mov(4)));
    assert_eq!(relocated(mov(4), ("0", TYPE_SIZE), here, number), Ok(mov(0)));
}

#[test]
fn types_of_one_name_must_agree() {
    let twice = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        structure(types, "task", 8, &[("pid", int, 0)]);
        structure(types, "task", 8, &[("pid", int, 32)]);
    };
    let error = relocated(mov(4), ("0:1", BYTE_OFFSET), task, twice).unwrap_err();
    assert!(error.ends_with("ambiguous: the kernel has several such types, which say 0 and 4"), "{error}");
    assert_eq!(relocated(mov(1), ("0:1", FIELD_EXISTS), task, twice), Ok(mov(1)));
}

#[test]
fn a_type_that_one_record_rules_out_is_not_asked_again() {
    // Two types `task`: only the second has `pid`, and after that only it is meant.
    let mut types = Types::new();
    let ty = task(&mut types);
    let [pid, whole] = ["0:1", "0"].map(|access| types.string(access));
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[&mov(4).encode()[..], &mov(8).encode()[..], EXIT].concat());
    let records = [[0, ty, pid, BYTE_OFFSET], [8, ty, whole, TYPE_SIZE]];
    let ext = btf_ext(&mut types, &[], &[], &[("socket", &records)]);
    elf.btf(&types);
    elf.data(".BTF.ext", &ext);
    let mut kernel = Types::new();
    let int = kernel.int("u32", 4, 0);
    structure(&mut kernel, "task", 4, &[("state", int, 0)]);
    structure(&mut kernel, "task", 24, &[("pid", int, 64)]);
    let target = Target { btf: TargetBtf::Bytes(kernel.build()), ..Target::none() };
    let plan = plan_with(&elf.build(), &Options::default(), &target).unwrap();
    assert_eq!(program(&plan, "filter").resolve(|_| 0)[..2], [mov(8), mov(24)]);
}

#[test]
fn the_last_three_underscores_between_other_characters_begin_the_flavour() {
    let names = ["a", "a___b", "a___b___c", "a____b", "___a", "a___", "a___b_"];
    let expected = ["a", "a", "a___b", "a____b", "___a", "a___", "a"];
    assert_eq!(names.map(crate::btf::search::essential), expected);
}

#[test]
fn an_access_is_resized_only_if_it_was_of_the_whole_field() {
    let wide = |types: &mut Types| {
        let int = types.int("u64", 8, 0);
        structure(types, "task", 16, &[("pid", int, 64)]);
    };
    let load64 = Insn { code: 0x79, ..load32(8) };
    assert_eq!(relocated(load32(4), ("0:1", BYTE_OFFSET), task, wide), Ok(load64));
    let byte = Insn { code: 0x71, ..load32(4) };
    let error = relocated(byte, ("0:1", BYTE_OFFSET), task, wide).unwrap_err();
    assert!(error.ends_with("it accesses 1 bytes of a field of 4, which has 8 there"), "{error}");
}

#[test]
fn an_instruction_that_holds_another_number_than_its_types_say_is_an_error() {
    let error = relocated(mov(5), ("0:1", BYTE_OFFSET), task, task).unwrap_err();
    assert!(error.ends_with("the instruction holds 5, but the object's own types say 4"), "{error}");
}

#[test]
fn hostile_types_end_in_an_error() {
    let endless = |types: &mut Types| {
        let pid = types.string("nobody");
        // Type 1: an anonymous struct that holds itself; type 2: the struct that is asked for.
        types.add("", kind::STRUCT, 1, 8, &[0, 1, 0]);
        types.add("task", kind::STRUCT, 2, 8, &[0, 1, 0, pid, 1, 0]);
    };
    let error = relocated(mov(4), ("0:1", BYTE_OFFSET), task, endless).unwrap_err();
    assert!(error.ends_with("types nested too deeply"), "{error}");
    let bushy = |types: &mut Types| {
        let int = types.int("u32", 4, 0);
        let mut inner = structure(types, "", 4, &[("x", int, 0)]);
        for _ in 0..28 {
            inner = structure(types, "", 4, &[("", inner, 0), ("", inner, 0)]);
        }
        structure(types, "task", 4, &[("", inner, 0)]);
    };
    let error = relocated(mov(4), ("0:1", BYTE_OFFSET), task, bushy).unwrap_err();
    assert!(error.ends_with("more members than any honest type has"), "{error}");
    for access in ["", "0:x", "0:9", "0:1:0", "-1", "4294967296", "0:1:"] {
        assert!(relocated(mov(4), (access, BYTE_OFFSET), task, |_| ()).is_err(), "{access}");
    }
    assert!(relocated(mov(4), ("0:1", 99), task, |_| ()).is_err());
}

#[test]
fn without_a_target_the_instruction_stays_and_the_program_is_not_ready() {
    let mut types = Types::new();
    let (ty, access) = (task(&mut types), types.string("0:1"));
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[&mov(4).encode()[..], EXIT].concat());
    let ext = btf_ext(&mut types, &[], &[], &[("socket", &[[0, ty, access, BYTE_OFFSET]])]);
    elf.btf(&types);
    elf.data(".BTF.ext", &ext);
    let plan = plan_with(&elf.build(), &Options::default(), &Target::none()).unwrap();
    let filter = program(&plan, "filter");
    assert_eq!(filter.resolve(|_| 0)[0], mov(4));
    let patch = filter.unresolved().unwrap();
    assert_eq!(patch.kind, PatchKind::Unresolved(Needs::Btf));
    assert_eq!(patch.symbol, "byte offset of struct task.pid: 4 here");
}
