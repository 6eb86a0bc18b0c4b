//! Values read by their types, and types that describe more than there is.

use crate::btf::Btf;
use crate::btf::layout::Layout;
use crate::btf::value::{Value, read};
use crate::testing::{SIGNED, Types, kind};

/// A struct whose members' offsets carry the size of a bit field in their upper eight bits.
const WITH_BITS: u32 = kind::STRUCT | kind::FLAG;

fn shown(types: &Types, ty: u32, bytes: &[u8]) -> String {
    let built = types.build();
    read(&Btf::parse(&built).unwrap(), ty, bytes).to_string()
}

/// A struct: name, type, and place of each member.
fn structure(types: &mut Types, size: u32, kind: u32, members: &[(&str, u32, u32)]) -> u32 {
    let rest: Vec<u32> = members.iter().flat_map(|(name, ty, place)| [types.string(name), *ty, *place]).collect();
    types.add("s", kind, members.len(), size, &rest)
}

#[test]
fn bit_fields_are_cut_out_with_their_sign_and_names() {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    let color = types.enumeration("color", &[("RED", 1), ("DEEP", 300)]);
    let place = |at: u32, bits: u32| bits << 24 | at;
    let members = [("low", int, place(0, 3)), ("high", int, place(3, 5)), ("tint", color, place(9, 10))];
    let ty = structure(&mut types, 4, WITH_BITS, &members);
    // From the lowest bit: 101, 11101, 0, 0100101100.
    let bytes = (0b101u32 | 0b11101 << 3 | 300 << 9).to_le_bytes();
    assert_eq!(shown(&types, ty, &bytes), "{low=-3 high=-3 tint=DEEP}");
}

#[test]
fn names_and_text_cannot_command_a_terminal() {
    let mut types = Types::new();
    let char = types.int("char", 1, SIGNED);
    let text = types.array(char, 8);
    let ty = structure(&mut types, 8, kind::STRUCT, &[("a\u{1b}[2J", text, 0)]);
    assert_eq!(shown(&types, ty, b"\x1b[31mhi\0"), "{a\\u{1b}[2J=\"\\x1b[31mhi\"}");
}

#[test]
fn a_value_that_is_too_short_for_its_type_is_shown_as_bytes() {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    let ty = structure(&mut types, 8, kind::STRUCT, &[("a", int, 0), ("b", int, 32)]);
    assert_eq!(shown(&types, ty, &[1, 0, 0, 0, 2, 0, 0]), "01000000020000");
    assert_eq!(shown(&types, 99, &[0xab]), "ab");
}

#[test]
fn a_type_that_describes_more_than_there_is_ends() {
    let mut types = Types::new();
    let empty = types.add("empty", kind::STRUCT, 0, 0, &[]);
    let mut nested = types.array(empty, u32::MAX);
    assert_eq!(shown(&types, nested, &[]), "");
    // 4^20 parts: two members of the same struct, over and over.
    for _ in 0..20 {
        let members = [("a", nested, 0), ("b", nested, 0), ("c", nested, 0), ("d", nested, 0)];
        nested = structure(&mut types, 0, kind::STRUCT, &members);
    }
    assert_eq!(shown(&types, nested, &[7]), "07");
}

#[test]
fn one_layout_reads_every_value_of_its_type() {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    let pair = types.array(int, 2);
    let built = types.build();
    let layout = Layout::of(&Btf::parse(&built).unwrap(), pair);
    assert_eq!(layout.size(), 8);
    for number in [0i32, -1, 7] {
        let value = Value::Int(number.into());
        let bytes = [number.to_le_bytes(), number.to_le_bytes()].concat();
        assert_eq!(layout.read(&bytes), Value::Array(vec![value.clone(), value]));
    }
}

/// The types of an object with words replaced: whatever comes of it, it ends, and has not many more parts than bytes.
#[test]
fn types_that_were_tampered_with_are_read_or_refused_in_time() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bpf/count.bpf.o")).unwrap();
    let object = crate::elf::Object::parse(&bytes).unwrap();
    let section = object.section_named(".BTF").unwrap().data.to_vec();
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let (mut read, mut values) = (0, 0);
    for _ in 0..3000 {
        let mut tampered = section.clone();
        for _ in 0..=next(4) {
            let at = next(section.len() / 4) * 4;
            let small = next(64) as u32;
            let word = [0, u32::MAX, small, 1 << next(32)][next(4)];
            tampered[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let Ok(btf) = Btf::parse(&tampered) else { continue };
        read += 1;
        for id in 0..btf.type_count() + 2 {
            let text = Layout::of(&btf, id).read(&[0xa5; 96]).to_string();
            assert!(text.len() < 1 << 16, "{} bytes of text", text.len());
            values += 1;
        }
    }
    assert!(read > 500 && values > 10_000, "{read} sections, {values} values");
}
