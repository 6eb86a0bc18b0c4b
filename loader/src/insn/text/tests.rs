use super::{Insn, disassemble};

/// The text of one slot.
fn text(bytes: [u8; 8]) -> String {
    Insn::decode(bytes).to_string()
}

/// The text of a slot of this code with dst = 1, src = 2, off = 4, imm = 5.
fn coded(code: u8) -> String {
    text([code, 0x21, 4, 0, 5, 0, 0, 0])
}

#[test]
fn loads_and_stores_name_the_type_and_the_place() {
    assert_eq!(coded(0x71), "r1 = *(u8 *)(r2 + 4)");
    assert_eq!(coded(0x69), "r1 = *(u16 *)(r2 + 4)");
    assert_eq!(coded(0x61), "r1 = *(u32 *)(r2 + 4)");
    assert_eq!(coded(0x79), "r1 = *(u64 *)(r2 + 4)");
    assert_eq!(coded(0x73), "*(u8 *)(r1 + 4) = r2");
    assert_eq!(coded(0x6b), "*(u16 *)(r1 + 4) = r2");
    assert_eq!(coded(0x63), "*(u32 *)(r1 + 4) = r2");
    assert_eq!(coded(0x7b), "*(u64 *)(r1 + 4) = r2");
    assert_eq!(coded(0x72), "*(u8 *)(r1 + 4) = 5");
    assert_eq!(coded(0x6a), "*(u16 *)(r1 + 4) = 5");
    assert_eq!(coded(0x62), "*(u32 *)(r1 + 4) = 5");
    assert_eq!(coded(0x7a), "*(u64 *)(r1 + 4) = 5");
}

#[test]
fn loads_that_extend_the_sign_have_a_signed_type() {
    assert_eq!(coded(0x91), "r1 = *(s8 *)(r2 + 4)");
    assert_eq!(coded(0x89), "r1 = *(s16 *)(r2 + 4)");
    assert_eq!(coded(0x81), "r1 = *(s32 *)(r2 + 4)");
}

#[test]
fn a_negative_offset_is_subtracted() {
    assert_eq!(text([0x7b, 0x1a, 0xf8, 0xff, 0, 0, 0, 0]), "*(u64 *)(r10 - 8) = r1");
    assert_eq!(text([0x79, 0xa1, 0x00, 0x80, 0, 0, 0, 0]), "r1 = *(u64 *)(r10 - 32768)");
}

#[test]
fn packet_loads_name_the_skb() {
    assert_eq!(coded(0x30), "r0 = *(u8 *)skb[5]");
    assert_eq!(coded(0x28), "r0 = *(u16 *)skb[5]");
    assert_eq!(coded(0x20), "r0 = *(u32 *)skb[5]");
    assert_eq!(coded(0x50), "r0 = *(u8 *)skb[r2]");
    assert_eq!(coded(0x48), "r0 = *(u16 *)skb[r2]");
    assert_eq!(coded(0x40), "r0 = *(u32 *)skb[r2]");
}

#[test]
fn arithmetic_on_64_bits_names_r_registers() {
    let operators = ["+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>="];
    for (number, operator) in operators.into_iter().enumerate() {
        let code = (number as u8) << 4 | 7;
        assert_eq!(text([code, 0x21, 0, 0, 5, 0, 0, 0]), format!("r1 {operator} 5"));
        assert_eq!(text([code | 8, 0x21, 0, 0, 0, 0, 0, 0]), format!("r1 {operator} r2"));
    }
    assert_eq!(text([0x87, 0x01, 0, 0, 0, 0, 0, 0]), "r1 = -r1");
    assert_eq!(text([0x97, 0x01, 0, 0, 5, 0, 0, 0]), "r1 %= 5");
    assert_eq!(text([0xaf, 0x21, 0, 0, 0, 0, 0, 0]), "r1 ^= r2");
    assert_eq!(text([0xb7, 0x01, 0, 0, 0xff, 0xff, 0xff, 0xff]), "r1 = -1");
    assert_eq!(text([0xbf, 0x21, 0, 0, 0, 0, 0, 0]), "r1 = r2");
    assert_eq!(text([0xc7, 0x01, 0, 0, 5, 0, 0, 0]), "r1 s>>= 5");
}

#[test]
fn arithmetic_on_32_bits_names_w_registers() {
    assert_eq!(text([0x04, 0x01, 0, 0, 5, 0, 0, 0]), "w1 += 5");
    assert_eq!(text([0x1c, 0x21, 0, 0, 0, 0, 0, 0]), "w1 -= w2");
    assert_eq!(text([0x84, 0x01, 0, 0, 0, 0, 0, 0]), "w1 = -w1");
    assert_eq!(text([0xbc, 0x21, 0, 0, 0, 0, 0, 0]), "w1 = w2");
    assert_eq!(text([0xcc, 0x21, 0, 0, 0, 0, 0, 0]), "w1 s>>= w2");
}

#[test]
fn signed_division_and_moves_that_extend_the_sign_stand_in_the_offset() {
    assert_eq!(text([0x37, 0x01, 1, 0, 5, 0, 0, 0]), "r1 s/= 5");
    assert_eq!(text([0x9c, 0x21, 1, 0, 0, 0, 0, 0]), "w1 s%= w2");
    assert_eq!(text([0xbf, 0x21, 8, 0, 0, 0, 0, 0]), "r1 = (s8)r2");
    assert_eq!(text([0xbc, 0x21, 16, 0, 0, 0, 0, 0]), "w1 = (s16)w2");
    assert_eq!(text([0xbf, 0x21, 32, 0, 0, 0, 0, 0]), "r1 = (s32)r2");
}

#[test]
fn byte_swaps_name_the_order_and_the_bits() {
    assert_eq!(text([0xdc, 0x01, 0, 0, 16, 0, 0, 0]), "r1 = be16 r1");
    assert_eq!(text([0xdc, 0x02, 0, 0, 64, 0, 0, 0]), "r2 = be64 r2");
    assert_eq!(text([0xd4, 0x01, 0, 0, 32, 0, 0, 0]), "r1 = le32 r1");
    assert_eq!(text([0xd7, 0x01, 0, 0, 16, 0, 0, 0]), "r1 = bswap16 r1");
}

#[test]
fn conditional_jumps_compare_64_bits_or_32() {
    let conditions = [
        (0x10, "=="),
        (0x20, ">"),
        (0x30, ">="),
        (0x40, "&"),
        (0x50, "!="),
        (0x60, "s>"),
        (0x70, "s>="),
        (0xa0, "<"),
        (0xb0, "<="),
        (0xc0, "s<"),
        (0xd0, "s<="),
    ];
    for (code, condition) in conditions {
        assert_eq!(coded(code | 5), format!("if r1 {condition} 5 goto +4"));
        assert_eq!(coded(code | 5 | 8), format!("if r1 {condition} r2 goto +4"));
        assert_eq!(coded(code | 6), format!("if w1 {condition} 5 goto +4"));
        assert_eq!(coded(code | 6 | 8), format!("if w1 {condition} w2 goto +4"));
    }
}

#[test]
fn jumps_calls_and_exit() {
    assert_eq!(text([0x05, 0, 0xfe, 0xff, 0, 0, 0, 0]), "goto -2");
    assert_eq!(text([0x06, 0, 0, 0, 3, 0, 0, 0]), "gotol +3");
    assert_eq!(text([0x85, 0, 0, 0, 26, 0, 0, 0]), "call 26");
    assert_eq!(text([0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff]), "call -1");
    assert_eq!(text([0x8d, 0x01, 0, 0, 0, 0, 0, 0]), "callx r1");
    assert_eq!(text([0x8d, 0, 0, 0, 2, 0, 0, 0]), "callx r2");
    assert_eq!(text([0x95, 0, 0, 0, 0, 0, 0, 0]), "exit");
}

#[test]
fn atomic_operations_stand_in_the_immediate() {
    let operations = [(0x00, "+=", "add"), (0x40, "|=", "or"), (0x50, "&=", "and"), (0xa0, "^=", "xor")];
    for (imm, operator, name) in operations {
        assert_eq!(text([0xdb, 0x21, 4, 0, imm, 0, 0, 0]), format!("lock *(u64 *)(r1 + 4) {operator} r2"));
        assert_eq!(text([0xc3, 0x21, 4, 0, imm, 0, 0, 0]), format!("lock *(u32 *)(r1 + 4) {operator} r2"));
        let fetch = format!("r2 = atomic_fetch_{name}((u64 *)(r1 + 4), r2)");
        assert_eq!(text([0xdb, 0x21, 4, 0, imm | 1, 0, 0, 0]), fetch);
    }
    assert_eq!(text([0xdb, 0x21, 4, 0, 0xe1, 0, 0, 0]), "r2 = xchg_64(r1 + 4, r2)");
    assert_eq!(text([0xdb, 0x21, 4, 0, 0xf1, 0, 0, 0]), "r0 = cmpxchg_64(r1 + 4, r0, r2)");
}

#[test]
fn codes_that_do_not_exist_are_shown_as_such() {
    assert_eq!(text([0xe7, 0, 0, 0, 0, 0, 0, 0]), "<unknown code 0xe7>");
    assert_eq!(text([0xe5, 0, 0, 0, 0, 0, 0, 0]), "<unknown code 0xe5>");
    assert_eq!(text([0x00, 0, 0, 0, 0, 0, 0, 0]), "<unknown code 0x00>");
    assert_eq!(text([0xdb, 0x21, 0, 0, 0xe0, 0, 0, 0]), "<unknown atomic operation 0xe0>");
    assert_eq!(text([0xdb, 0x21, 0, 0, 0x77, 0, 0, 0]), "<unknown atomic operation 0x77>");
}

#[test]
fn every_code_has_a_text() {
    for code in 0..=255 {
        assert!(!coded(code).is_empty());
    }
}

#[test]
fn lddw_takes_two_slots_and_the_next_instruction_is_numbered_after_both() {
    let insns = Insn::decode_all(&[
        0x18, 0x01, 0, 0, 0x88, 0x77, 0x66, 0x55, // lddw r1, the lower half
        0x00, 0x00, 0, 0, 0x44, 0x33, 0x22, 0x11, //   the upper half
        0x95, 0x00, 0, 0, 0, 0, 0, 0, // exit
    ]);
    let expected = [(0, "r1 = 1234605616436508552 ll"), (2, "exit")];
    assert_eq!(disassemble(&insns), expected.map(|(slot, text)| (slot, text.to_owned())));
}

#[test]
fn the_lower_half_of_lddw_is_not_extended_by_its_sign() {
    let insns = Insn::decode_all(&[
        0x18, 0x02, 0, 0, 0xff, 0xff, 0xff, 0xff, // lddw r2, 0xffffffff
        0x00, 0x00, 0, 0, 0, 0, 0, 0, //   upper half 0
        0x18, 0x02, 0, 0, 0xff, 0xff, 0xff, 0xff, // lddw r2, -1
        0x00, 0x00, 0, 0, 0xff, 0xff, 0xff, 0xff, //   upper half all ones
    ]);
    let expected = [(0, "r2 = 4294967295 ll"), (2, "r2 = -1 ll")];
    assert_eq!(disassemble(&insns), expected.map(|(slot, text)| (slot, text.to_owned())));
}

#[test]
fn the_source_register_of_lddw_says_what_its_immediates_mean() {
    let texts = |src: u8| {
        disassemble(&Insn::decode_all(&[0x18, src << 4 | 1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0]))[0].1.clone()
    };
    assert_eq!(texts(Insn::BPF_PSEUDO_MAP_FD), "r1 = map fd 4");
    assert_eq!(texts(Insn::BPF_PSEUDO_MAP_VALUE), "r1 = map value of fd 4 + 8");
    assert_eq!(texts(Insn::BPF_PSEUDO_BTF_ID), "r1 = variable of BTF id 4");
    assert_eq!(texts(Insn::BPF_PSEUDO_FUNC), "r1 = function at +4");
}

#[test]
fn lddw_without_its_second_slot_still_has_a_text() {
    let insns = Insn::decode_all(&[0x18, 0x01, 0, 0, 7, 0, 0, 0]);
    assert_eq!(disassemble(&insns), [(0, "r1 = 7 ll".to_owned())]);
}
