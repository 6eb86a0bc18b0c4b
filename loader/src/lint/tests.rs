use super::*;
use crate::elf::Object;
use crate::insn::Insn;
use crate::link::Options;
use crate::plan::Fate;
use crate::target::Target;
use crate::testing::{EXIT, Elf, LDDW, OBJECTS, R_BPF_64_64, R0};

/// `r0 = *(u32 *)(r1 + off)`.
fn load(off: u8) -> Vec<u8> {
    vec![0x61, 0x10, off, 0, 0, 0, 0, 0]
}

/// `dst = src`.
fn copy(dst: u8, src: u8) -> Vec<u8> {
    vec![0xbf, src << 4 | dst, 0, 0, 0, 0, 0, 0]
}

/// `r0 = n`.
fn keep(bytes: u8) -> Vec<u8> {
    vec![0xb7, 0, 0, 0, bytes, 0, 0, 0]
}

/// `if r2 == 0 goto +off`.
fn branch(off: u8) -> Vec<u8> {
    vec![0x15, 0x02, off, 0, 0, 0, 0, 0]
}

fn call(helper: u8) -> Vec<u8> {
    vec![0x85, 0, 0, 0, helper, 0, 0, 0]
}

const DATA: u8 = 76;

/// The rules that a program of these instructions meets, each with its slot. The object has no types, which is not told here.
fn lints_of(insns: &[Vec<u8>]) -> Vec<(&'static str, usize)> {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &insns.concat());
    let all = lints_in(&elf.build(), &Limits::default());
    all.iter().filter_map(|lint| Some((lint.id, lint.insn?))).collect()
}

fn lints_in(bytes: &[u8], limits: &Limits) -> Vec<Lint> {
    let object = Object::parse(bytes).unwrap();
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::none()).expect("there is a program");
    all(&spec, &plan, limits)
}

#[test]
fn the_committed_objects_have_no_lint() {
    for (name, bytes) in OBJECTS {
        assert_eq!(lints_in(bytes, &Limits { optmem_max: Some(20_480), byte0: Some("TCP header") }), [], "{name}");
    }
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    let mut ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
}

#[test]
fn reading_data_by_way_of_r1_is_told_with_its_slot() {
    assert_eq!(lints_of(&[load(DATA), EXIT.to_vec()]), [("ctx-read", 0)]);
    assert_eq!(lints_of(&[load(0), EXIT.to_vec()]), [], "skb->len is for everybody");
}

#[test]
fn a_copy_in_r6_is_the_context_in_every_block() {
    let from_r6 = vec![0x61, 0x60, DATA, 0, 0, 0, 0, 0];
    let program = [copy(6, 1), branch(1), R0.to_vec(), from_r6.clone(), EXIT.to_vec()];
    assert_eq!(lints_of(&program), [("ctx-read", 3)]);
    // Written again later, it is certain nowhere but in the first block.
    let program = [copy(6, 1), branch(1), copy(6, 2), from_r6, EXIT.to_vec()];
    assert_eq!(lints_of(&program), []);
}

#[test]
fn r1_is_forgotten_where_a_jump_leads_and_after_a_call() {
    assert_eq!(lints_of(&[branch(0), load(DATA), EXIT.to_vec()]), [("ctx-read", 1)], "nothing else leads here");
    assert_eq!(lints_of(&[branch(1), copy(1, 2), load(DATA), EXIT.to_vec()]), []);
    assert_eq!(lints_of(&[call(5), load(DATA), EXIT.to_vec()]), []);
}

#[test]
fn a_jump_back_to_the_first_slot_leaves_nothing_certain() {
    let back = vec![0x15, 0x02, 0xfe, 0xff, 0, 0, 0, 0];
    assert_eq!(lints_of(&[load(DATA), back, EXIT.to_vec()]), []);
}

#[test]
fn arithmetic_on_the_context_is_not_followed() {
    let add = vec![0x07, 0x01, 0, 0, 4, 0, 0, 0];
    assert_eq!(lints_of(&[add, load(DATA), EXIT.to_vec()]), []);
}

#[test]
fn only_cb_may_be_written() {
    let store = |off: u8| vec![0x63, 0x01, off, 0, 0, 0, 0, 0];
    assert_eq!(lints_of(&[R0.to_vec(), store(48), store(8), EXIT.to_vec()]), [("ctx-write", 2)]);
}

#[test]
fn a_helper_of_another_type_is_told_and_one_that_is_newer_than_the_table_is_not() {
    assert_eq!(lints_of(&[call(9), EXIT.to_vec()]), [("helper-type", 0)]);
    assert_eq!(lints_of(&[call(250), EXIT.to_vec()]), []);
    assert_eq!(lints_of(&[call(5), EXIT.to_vec()]), []);
    let poison = vec![0x85, 0, 0, 0, 0x10, 0x23, 0xad, 0x0b];
    assert_eq!(lints_of(&[poison, EXIT.to_vec()]), []);
}

#[test]
fn a_gpl_helper_without_a_licence_is_told() {
    assert_eq!(lints_of(&[call(6), EXIT.to_vec()]), [("helper-license", 0)]);
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[call(6), EXIT.to_vec()].concat());
    elf.data("license", b"Dual BSD/GPL\0");
    assert!(lints_in(&elf.build(), &Limits::default()).iter().all(|lint| lint.id == "no-types"));
}

#[test]
fn returning_1_or_a_bare_header_is_told_and_0_or_more_is_not() {
    assert_eq!(lints_of(&[keep(1), EXIT.to_vec()]), [("short-return", 0)]);
    assert_eq!(lints_of(&[keep(20), EXIT.to_vec()]), [("short-return", 0)], "a TCP header and nothing else");
    for bytes in [0, 21, 64] {
        assert_eq!(lints_of(&[keep(bytes), EXIT.to_vec()]), [], "{bytes}");
    }
}

#[test]
fn a_negative_constant_is_told_to_keep_everything_however_clang_writes_it() {
    let second = vec![0; 8];
    for (code, imm) in [(0xb7, -5_i32), (0xb4, -1), (0x18, -1)] {
        let mut minus = vec![code, 0, 0, 0];
        minus.extend(imm.to_le_bytes());
        let (mut insns, is_lddw) = (vec![minus], code == 0x18);
        insns.extend(is_lddw.then(|| second.clone()));
        insns.push(EXIT.to_vec());
        assert_eq!(lints_of(&insns), [("negative-return", 0)], "{code:#x}");
    }
    // 1 << 32: the kernel sees 0.
    let high = vec![0, 0, 0, 0, 1, 0, 0, 0];
    assert_eq!(lints_of(&[LDDW[..8].to_vec(), high, EXIT.to_vec()]), []);
}

/// The rules met on a socket where byte 0 is this.
fn lints_on(byte0: &'static str, insns: &[Vec<u8>]) -> Vec<&'static str> {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &insns.concat());
    let all = lints_in(&elf.build(), &Limits { byte0: Some(byte0), ..Limits::default() });
    all.iter().filter(|lint| lint.insn.is_some()).map(|lint| lint.id).collect()
}

#[test]
fn a_constant_that_trims_segments_is_told_on_tcp_alone() {
    let returns = |value: i32| [vec![0xb7, 0, 0, 0], value.to_le_bytes().to_vec()].concat();
    for value in [21, 64, 1500, 65_535] {
        assert_eq!(lints_on("TCP header", &[returns(value), EXIT.to_vec()]), ["tcp-trim"], "{value}");
        assert_eq!(lints_on("UDP header", &[returns(value), EXIT.to_vec()]), [] as [&str; 0], "{value}");
    }
    for value in [0, 65_536, 262_144] {
        assert_eq!(lints_on("TCP header", &[returns(value), EXIT.to_vec()]), [] as [&str; 0], "{value}");
    }
}

#[test]
fn a_protocol_behind_an_ethernet_header_is_told_where_there_is_none() {
    let set = |register: u8, value: u8| vec![0xb7, register, 0, 0, value, 0, 0, 0];
    let copies = |offset, length| vec![set(2, offset), set(4, length), call(26)];
    let compares = |value: u8| vec![vec![0x15, 1, 0, 0, value, 0, 0, 0], R0.to_vec(), EXIT.to_vec()];
    let told = |reads: Vec<Vec<u8>>, value| lints_on("TCP header", &[reads, compares(value)].concat());
    for (offset, length) in [(23, 1), (14, 20), (14, 40)] {
        assert_eq!(told(copies(offset, length), 6), ["ethernet-offset"], "{length} bytes at {offset}");
        assert_eq!(told(copies(offset, length), 80), [] as [&str; 0], "{length} bytes at {offset}");
    }
    assert_eq!(told(copies(9, 1), 6), [] as [&str; 0], "from the IP header");
    assert_eq!(told(vec![vec![0x30, 0, 0, 0, 23, 0, 0, 0]], 17), ["ethernet-offset"]);
    assert_eq!(told(vec![vec![0x30, 0, 0, 0, 9, 0, 0, 0]], 17), [] as [&str; 0]);
}

#[test]
fn a_constant_that_reaches_the_exit_by_a_jump_is_told_once() {
    // r0 = 1; if r2 == 0 goto exit; r0 = 0; exit
    assert_eq!(lints_of(&[keep(1), branch(1), R0.to_vec(), EXIT.to_vec()]), [("short-return", 0)]);
    // r0 = 0; if r2 == 0 goto exit; r0 = 1; exit: by going on.
    assert_eq!(lints_of(&[R0.to_vec(), branch(1), keep(1), EXIT.to_vec()]), [("short-return", 2)]);
    // What is overwritten on every path to the exit is not returned.
    assert_eq!(lints_of(&[keep(1), branch(0), R0.to_vec(), EXIT.to_vec()]), []);
}

#[test]
fn a_program_larger_than_a_socket_may_hold_is_told_with_both_numbers() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[R0.repeat(99), EXIT.to_vec()].concat());
    let told = |limit| lints_in(&elf.build(), &Limits { optmem_max: Some(limit), byte0: None });
    let lints = told(800);
    let lint = lints.iter().find(|lint| lint.id == "too-large").expect("100 slots are 800 bytes");
    assert!(lint.what.contains("100 slots") && lint.what.contains("800"), "{}", lint.what);
    assert!(told(801).iter().all(|lint| lint.id != "too-large"));
}

#[test]
fn a_walk_over_any_bytes_ends_and_finds_its_way() {
    let mut bytes: Vec<u8> = (0..=255).collect();
    for round in 0..64_u8 {
        bytes
            .iter_mut()
            .enumerate()
            .for_each(|(at, byte)| *byte = byte.wrapping_mul(31).wrapping_add(at as u8 ^ round));
        walk::walk(&Insn::decode_all(&bytes), |_, _, _, _| {});
    }
}

#[test]
fn an_object_without_types_is_told_so() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[R0, EXIT].concat());
    let ids: Vec<_> = lints_in(&elf.build(), &Limits::default()).iter().map(|lint| lint.id).collect();
    assert_eq!(ids, ["no-types"]);
}

fn known(section: &str) -> LoadsIn {
    let mut elf = Elf::new();
    elf.program(section, "filter", &[R0, EXIT].concat());
    let bytes = elf.build();
    let object = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::none()).expect("there is a program");
    loads_in_others(&spec, &plan).remove(0)
}

#[test]
fn only_the_plain_section_name_is_known_to_all_loaders() {
    let loads = |section: &str| known(section).each().map(|(_, reasons)| reasons.is_empty());
    assert_eq!(loads("socket"), [true, true, true]);
    assert_eq!(loads("?socket"), [true, true, false]);
    assert_eq!(loads("socket/web"), [false, true, true]);
    assert_eq!(loads("socket1"), [false, true, false]);
}

#[test]
fn of_a_program_that_cannot_be_linked_nothing_is_promised() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let missing = elf.undefined("nowhere", false);
    elf.reloc(code, 0, R_BPF_64_64, missing);
    let bytes = elf.build();
    let object = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::none()).expect("there is a program");
    assert!(matches!(plan.programs[0].fate, Fate::Unlinkable(_)));
    assert_eq!(loads_in_others(&spec, &plan), []);
}

#[test]
fn a_loader_that_refuses_is_named_with_its_reason() {
    let text = known("socket/web").text();
    assert_eq!(text, "libbpf no (section `socket/web` is not `socket`), cilium/ebpf yes, aya yes");
}
