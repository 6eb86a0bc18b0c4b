//! `.BTF.ext`.

use crate::btf::Btf;
use crate::btf::ext::{BtfExt, FuncInfo, LineInfo};
use crate::testing::{Types, btf_ext};

/// Parses it with no type at all and the strings "", "a.c" and "socket".
fn parse(words: &[u32]) -> Result<String, String> {
    let btf = crate::testing::btf_section(&[], b"\0a.c\0socket\0"); // at 0, 1, 5
    let btf = Btf::parse(&btf).unwrap();
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    BtfExt::parse(&bytes, &btf).map(|ext| format!("{ext:?}")).map_err(|e| e.to_string())
}

#[test]
fn records_are_grouped_by_the_name_of_their_section() {
    let mut types = Types::new();
    let bytes = btf_ext(
        &mut types,
        &[("socket", &[[0, 7], [64, 8]]), (".text", &[[0, 9]])],
        &[("socket", &[[8, 1, 2, 12 << 10 | 3]])],
        &[("socket", &[[16, 7, 0, 0]])],
    );
    let btf = types.build();
    let btf = Btf::parse(&btf).unwrap();
    let ext = BtfExt::parse(&bytes, &btf).unwrap();
    let funcs: Vec<_> = ext.funcs.iter().map(|part| (part.section, part.records.as_slice())).collect();
    let func = |insn_off, type_id| FuncInfo { insn_off, type_id };
    assert_eq!(funcs, [("socket", &[func(0, 7), func(64, 8)][..]), (".text", &[func(0, 9)][..])]);
    let line = ext.lines[0].records[0];
    assert_eq!(line, LineInfo { insn_off: 8, file_name_off: 1, line_off: 2, line_col: 12 << 10 | 3 });
    assert_eq!((line.line(), line.column()), (12, 3));
    assert_eq!(ext.core_relos[0].records[0].insn_off, 16);
}

#[test]
fn a_header_of_24_bytes_has_no_core_part() {
    // magic and version, header length, func_info at 0 of 0 bytes, line_info at 0 of 0 bytes
    assert_eq!(parse(&[0x0001_eb9f, 24, 0, 0, 0, 0]), Ok(format!("{:?}", BtfExt::default())));
}

#[test]
fn longer_records_of_a_later_kernel_are_read_by_their_beginning() {
    // func_info of 28 bytes: records of 16 bytes; section "socket" with 1: offset 8, type 3, two unknown words
    let words = [0x0001_eb9f, 24, 0, 28, 28, 0, 16, 5, 1, 8, 3, 0xaaaa, 0xbbbb];
    assert!(parse(&words).unwrap().contains("[FuncInfo { insn_off: 8, type_id: 3 }]"));
}

#[test]
fn a_broken_header_is_an_error() {
    assert_eq!(parse(&[0x0001_eb9f]), Err(".BTF.ext: header: only 4 bytes".to_owned()));
    assert_eq!(parse(&[0, 24, 0, 0, 0, 0]), Err(".BTF.ext: header: magic 0x0000, expected 0xeb9f".to_owned()));
    assert_eq!(parse(&[0x0001_eb9f, 32]), Err(".BTF.ext: header: ends before func_info".to_owned()));
}

#[test]
fn a_part_outside_the_section_is_an_error() {
    let outside = |name| Err(format!(".BTF.ext: {name}: lies outside the section of 24 bytes"));
    assert_eq!(parse(&[0x0001_eb9f, 24, 0, 4, 0, 0]), outside("func_info"));
    assert_eq!(parse(&[0x0001_eb9f, 24, 0, 0, u32::MAX, u32::MAX]), outside("line_info"));
    assert_eq!(parse(&[0x0001_eb9f, u32::MAX, 0, 0, 0, 0]), outside("func_info"));
}

#[test]
fn records_that_are_too_small_or_cut_short_are_an_error() {
    let func_info = |words: &[u32]| {
        let header = [0x0001_eb9f, 24, 0, words.len() as u32 * 4, 0, 0];
        parse(&[&header, words].concat()).unwrap_err()
    };
    assert_eq!(func_info(&[4, 5, 1, 0]), ".BTF.ext: func_info: records of 4 bytes, expected at least 8");
    assert_eq!(func_info(&[0, 5, 1, 0]), ".BTF.ext: func_info: records of 0 bytes, expected at least 8");
    let cut_short = ".BTF.ext: func_info: ends in the middle of a record";
    assert_eq!(func_info(&[8, 5]), cut_short);
    assert_eq!(func_info(&[8, 5, 2, 0, 7]), cut_short);
    assert_eq!(func_info(&[u32::MAX, 5, u32::MAX, 0, 7]), cut_short);
    assert_eq!(func_info(&[8, 99, 1, 0, 7]), ".BTF.ext: func_info: no section name at string offset 99");
}
