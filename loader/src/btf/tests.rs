mod ext;
mod sizes;

use super::{Array, Btf, BtfError, EnumItem, Kind, Linkage, Member, VarSecinfo};
use crate::testing::btf_section;

const STRINGS: &[u8] = b"\0name\0one\0two\0"; // at 0, 1, 6, 10

/// The last type of a section of these words.
fn last(words: &[u32]) -> (String, String) {
    let bytes = btf_section(words, STRINGS);
    let btf = Btf::parse(&bytes).unwrap();
    let ty = btf.get(btf.type_count()).unwrap();
    (ty.name.to_owned(), format!("{:?}", ty.kind))
}

/// What is wrong with a section, or with its last type.
fn error(words: &[u32]) -> String {
    error_in(&btf_section(words, STRINGS))
}

fn error_in(bytes: &[u8]) -> String {
    let last = Btf::parse(bytes).and_then(|btf| btf.get(btf.type_count()).map(drop));
    last.unwrap_err().to_string()
}

#[test]
fn an_integer_has_a_size_a_sign_and_its_bits() {
    // name, kind 1 (INT), 4 bytes; encoding 1 (signed) in bits 24-27, bit offset 0, 32 bits
    let int = Kind::Int { size: 4, signed: true, boolean: false, bits: 32 };
    assert_eq!(last(&[1, 1 << 24, 4, 1 << 24 | 32]), ("name".to_owned(), format!("{int:?}")));
    // encoding 4 (bool), 8 bits
    let boolean = Kind::Int { size: 1, signed: false, boolean: true, bits: 8 };
    assert_eq!(last(&[1, 1 << 24, 1, 4 << 24 | 8]).1, format!("{boolean:?}"));
}

#[test]
fn pointers_typedefs_and_qualifiers_hold_one_type_number() {
    let expected = [
        (2, Kind::Ptr(7)),
        (8, Kind::Typedef(7)),
        (9, Kind::Volatile(7)),
        (10, Kind::Const(7)),
        (11, Kind::Restrict(7)),
        (12, Kind::Func { proto: 7, linkage: Linkage::Static }),
        (18, Kind::TypeTag(7)),
    ];
    for (kind, ty) in expected {
        assert_eq!(last(&[1, kind << 24, 7]), ("name".to_owned(), format!("{ty:?}")));
    }
}

#[test]
fn an_array_has_an_element_and_a_count() {
    // no name, kind 3 (ARRAY), 0; element 7, index type 8, 16 elements
    assert_eq!(last(&[0, 3 << 24, 0, 7, 8, 16]).1, format!("{:?}", Kind::Array(Array { element: 7, count: 16 })));
}

#[test]
fn a_struct_and_a_union_have_members() {
    let member = |name, ty, bit_offset| Member { name, ty, bit_offset, bit_size: None };
    let members = vec![member("one", 7, 0), member("two", 8, 32)];
    // name, kind 4 (STRUCT) with 2 members, 8 bytes; each member: name, type, bit offset
    let ty = Kind::Struct { size: 8, members: members.clone() };
    assert_eq!(last(&[1, 4 << 24 | 2, 8, 6, 7, 0, 10, 8, 32]).1, format!("{ty:?}"));
    let ty = Kind::Union { size: 8, members };
    assert_eq!(last(&[1, 5 << 24 | 2, 8, 6, 7, 0, 10, 8, 32]).1, format!("{ty:?}"));
}

#[test]
fn a_bit_field_keeps_its_size_in_the_upper_byte_of_the_offset() {
    let members = vec![Member { name: "one", ty: 7, bit_offset: 5, bit_size: Some(3) }];
    let ty = Kind::Struct { size: 4, members };
    // kind_flag in bit 31; offset word: 3 bits, from bit 5
    assert_eq!(last(&[1, 1 << 31 | 4 << 24 | 1, 4, 6, 7, 3 << 24 | 5]).1, format!("{ty:?}"));
}

#[test]
fn an_enum_is_signed_only_with_the_flag() {
    let kind = |value| Kind::Enum { size: 4, items: vec![EnumItem { name: "one", value }] };
    assert_eq!(last(&[1, 6 << 24 | 1, 4, 6, u32::MAX]).1, format!("{:?}", kind(0xffff_ffff)));
    assert_eq!(last(&[1, 1 << 31 | 6 << 24 | 1, 4, 6, u32::MAX]).1, format!("{:?}", kind(-1)));
}

#[test]
fn an_enum64_has_its_value_in_two_words() {
    let ty = Kind::Enum { size: 8, items: vec![EnumItem { name: "two", value: 0x1_0000_0002 }] };
    // name, kind 19 (ENUM64) with 1 item, 8 bytes; name, lower word, upper word
    assert_eq!(last(&[1, 19 << 24 | 1, 8, 10, 2, 1]).1, format!("{ty:?}"));
}

#[test]
fn variables_have_a_linkage_and_sections_have_variables() {
    for (word, linkage) in [(0, Linkage::Static), (1, Linkage::Global), (2, Linkage::Extern)] {
        assert_eq!(last(&[1, 14 << 24, 7, word]).1, format!("{:?}", Kind::Var { ty: 7, linkage }));
    }
    let vars = vec![VarSecinfo { var: 7, offset: 0, size: 4 }, VarSecinfo { var: 8, offset: 4, size: 8 }];
    // name, kind 15 (DATASEC) with 2 variables, size 12; each: variable, offset, size
    assert_eq!(last(&[1, 15 << 24 | 2, 12, 7, 0, 4, 8, 4, 8]).1, format!("{:?}", Kind::Datasec { size: 12, vars }));
}

#[test]
fn the_other_kinds_are_read_past() {
    // Each is followed by an INT, which is only found if the kind takes as many words as it has.
    let int = [6, 1 << 24, 4, 32];
    let others: [(&str, &[u32]); 5] = [
        ("Fwd { is_union: false }", &[1, 7 << 24, 0]),
        ("Fwd { is_union: true }", &[1, 1 << 31 | 7 << 24, 0]),
        ("FuncProto { ret: 7, params: [7, 8] }", &[0, 13 << 24 | 2, 7, 6, 7, 10, 8]), // returns 7; parameters one: 7, two: 8
        ("Float { size: 8 }", &[1, 16 << 24, 8]),
        ("DeclTag", &[1, 17 << 24, 7, u32::MAX]), // of type 7 itself, no component
    ];
    for (kind, words) in others {
        let bytes = btf_section(&[words, &int].concat(), STRINGS);
        let btf = Btf::parse(&bytes).unwrap();
        assert_eq!(format!("{:?}", btf.get(1).unwrap().kind), kind);
        assert_eq!((btf.type_count(), btf.get(2).unwrap().name), (2, "one"));
    }
}

#[test]
fn every_kind_has_a_name_in_c_words() {
    let kinds = (1..=19).map(|kind| match kind {
        1 | 14 | 17 => vec![1, kind << 24, 4, 0],
        3 => vec![1, kind << 24, 0, 0, 0, 0],
        _ => vec![1, kind << 24, 4],
    });
    let bytes = btf_section(&kinds.collect::<Vec<_>>().concat(), STRINGS);
    let btf = Btf::parse(&bytes).unwrap();
    let names: Vec<_> = btf.types().map(|(_, ty)| ty.kind.name()).collect();
    let expected = "an integer, a pointer, an array, a struct, a union, an enum, a forward declaration, a typedef, \
        a volatile type, a const type, a restrict type, a function, a function prototype, a variable, a data section, \
        a float, a declaration tag, a type tag, an enum";
    assert_eq!(names.join(", "), expected);
    assert_eq!(btf.get(0).unwrap().kind.name(), "void");
}

#[test]
fn a_kind_that_does_not_exist_is_an_error() {
    assert_eq!(error(&[1, 20 << 24, 4]), ".BTF: type 1: kind 20, expected 1 to 19");
    assert_eq!(error(&[1, 0, 4]), ".BTF: type 1: kind 0, expected 1 to 19");
}

#[test]
fn a_type_that_ends_outside_the_type_part_is_an_error() {
    let cut_short = ".BTF: type 1: ends outside the type part";
    assert_eq!(error(&[1, 1 << 24, 4]), cut_short); // INT without its encoding
    assert_eq!(error(&[1, 4 << 24 | 2, 8, 6, 7, 0]), cut_short); // STRUCT of 2 members with 1
    assert_eq!(error(&[0, 13 << 24 | 0xffff, 0]), cut_short); // FUNC_PROTO of 65,535 parameters
    assert_eq!(error(&[1]), cut_short);
}

#[test]
fn a_name_outside_the_strings_is_an_error() {
    let no_name = ".BTF: type 1: no name at string offset";
    assert_eq!(error(&[99, 2 << 24, 0]), format!("{no_name} 99"));
    assert_eq!(error(&[1, 4 << 24 | 1, 8, u32::MAX, 7, 0]), format!("{no_name} 4294967295"));
    let not_utf8 = btf_section(&[1, 2 << 24, 0], b"\0\xff\xfe\0");
    assert_eq!(error_in(&not_utf8), format!("{no_name} 1"));
}

#[test]
fn types_and_strings_that_overlap_are_an_error() {
    let mut bytes = btf_section(&[1, 2 << 24, 0], b"\0name\0");
    // The type's last word, zero, is the NUL that the strings begin with.
    bytes[16..24].copy_from_slice(&[8, 0, 0, 0, 10, 0, 0, 0]);
    assert_eq!(Btf::parse(&bytes).unwrap_err().to_string(), ".BTF: header: types and strings overlap");
}

#[test]
fn strings_that_do_not_begin_and_end_with_nul_are_an_error() {
    for strings in [&b"\0name"[..], b"name\0", b""] {
        let bytes = btf_section(&[1, 2 << 24, 0], strings);
        let expected = ".BTF: strings: expected to begin and end with a NUL byte";
        assert_eq!(Btf::parse(&bytes).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_header_of_another_version_or_too_short_is_an_error() {
    let good = btf_section(&[1, 2 << 24, 0], STRINGS);
    for (at, value) in [(2, 2), (4, 8)] {
        let mut bytes = good.clone();
        bytes[at] = value;
        let problem = Btf::parse(&bytes).unwrap_err().problem;
        assert!(problem.ends_with("expected version 1, at least 24 bytes"), "{problem}");
    }
}

#[test]
fn a_header_that_is_cut_short_or_of_another_format_is_an_error() {
    let header = |bytes: &[u8]| Btf::parse(bytes).unwrap_err();
    let short = BtfError::new("header", "3 bytes, expected at least 24");
    assert_eq!(header(&[0x9f, 0xeb, 1]), short);
    let mut other = btf_section(&[], STRINGS);
    other[..2].copy_from_slice(&[0xeb, 0x9f]); // big-endian
    assert_eq!(header(&other).to_string(), ".BTF: header: magic 0x9feb, expected 0xeb9f");
}

#[test]
fn a_part_outside_the_section_is_an_error() {
    // In the header: its length, the types' offset and length, the strings' offset and length.
    for field in [4, 8, 12, 16, 20] {
        for value in [0x1000, u32::MAX] {
            let mut bytes = btf_section(&[1, 2 << 24, 0], STRINGS);
            bytes[field..field + 4].copy_from_slice(&value.to_le_bytes());
            let expected = format!(".BTF: header: a part lies outside the section of {} bytes", bytes.len());
            assert_eq!(Btf::parse(&bytes).unwrap_err().to_string(), expected);
        }
    }
}

#[test]
fn a_type_number_that_does_not_exist_is_an_error() {
    let bytes = btf_section(&[0, 2 << 24, 9], STRINGS); // PTR to type 9
    let btf = Btf::parse(&bytes).unwrap();
    assert_eq!(btf.get(9).unwrap_err().to_string(), ".BTF: type 9: does not exist: the last is 1");
    assert_eq!(btf.get(u32::MAX).unwrap_err().to_string(), ".BTF: type 4294967295: does not exist: the last is 1");
}

#[test]
fn a_type_can_be_found_in_the_bytes_of_the_section() {
    // INT (four words) at 24, after the header; DATASEC at 40
    let bytes = btf_section(&[1, 1 << 24, 4, 32, 6, 15 << 24, 0], STRINGS);
    let btf = Btf::parse(&bytes).unwrap();
    assert_eq!((btf.section_offset(1), btf.section_offset(2), btf.section_offset(3)), (Some(24), Some(40), None));
    assert_eq!(btf.section_offset(0), None);
    assert_eq!(btf.datasec("one").map(|(id, _)| id), Some(2));
    assert!(btf.datasec("name").is_none(), "an INT of that name is no DATASEC");
}
