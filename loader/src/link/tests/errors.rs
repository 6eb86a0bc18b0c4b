//! Every reason why a program cannot be linked.

use object::write::{SymbolId, SymbolSection};
use object::{SymbolKind, SymbolScope};

use super::{kind, link_error};
use crate::plan::{Fate, LinkErrorKind};
use crate::testing::{
    CALL, CALL_1, EXIT, Elf, LDDW, LDDW_8, R_BPF_64_32, R_BPF_64_64, R0, Types, btf_ext, plan, program,
};

/// What is wrong with a program of these bytes, whose record at byte `offset` names the symbol that `symbol` makes.
fn wrong(bytes: &[u8], offset: u64, symbol: impl Fn(&mut Elf) -> SymbolId) -> LinkErrorKind {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", bytes);
    let symbol = symbol(&mut elf);
    elf.reloc(code, offset, R_BPF_64_64, symbol);
    kind(&plan(&elf.build()).unwrap())
}

/// A variable in a `.data` of eight bytes.
fn variable(elf: &mut Elf) -> SymbolId {
    let data = elf.data(".data", &[1; 8]);
    elf.var(data, "limit", 0, 8)
}

/// A symbol without a section of its own.
fn homeless(section: SymbolSection) -> impl Fn(&mut Elf) -> SymbolId {
    move |elf| elf.symbol(section, "ghost", SymbolKind::Data, 8, 8, SymbolScope::Dynamic)
}

/// A function in `.text`, at byte 8.
fn function(elf: &mut Elf) -> SymbolId {
    let text = elf.code(".text", &[R0, R0, EXIT].concat());
    elf.func(text, "bump", 8, 16)
}

#[test]
fn a_record_in_the_middle_of_a_slot() {
    assert_eq!(wrong(&[LDDW, EXIT].concat(), 4, variable), LinkErrorKind::Unaligned { offset: 4 });
}

#[test]
fn two_records_for_one_instruction() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let symbol = variable(&mut elf);
    elf.reloc(code, 0, R_BPF_64_64, symbol);
    elf.reloc(code, 0, R_BPF_64_64, symbol);
    assert_eq!(kind(&plan(&elf.build()).unwrap()), LinkErrorKind::Twice { symbol: "limit".to_owned() });
}

#[test]
fn a_record_at_an_instruction_with_nothing_to_fill_in() {
    let expected = LinkErrorKind::NotPatchable { r_type: R_BPF_64_64, symbol: "limit".to_owned(), code: 0x95 };
    assert_eq!(wrong(EXIT, 0, variable), expected);
    let message = "a relocation of type 1 for `limit` at opcode 0x95; expected lddw (0x18) or call (0x85)";
    assert_eq!(expected.to_string(), message);
}

#[test]
fn a_record_at_the_second_slot_of_lddw() {
    let expected = LinkErrorKind::NotPatchable { r_type: R_BPF_64_64, symbol: "limit".to_owned(), code: 0 };
    assert_eq!(wrong(&[LDDW, EXIT].concat(), 8, variable), expected);
}

#[test]
fn lddw_without_its_second_slot() {
    assert_eq!(wrong(&[EXIT, &LDDW[..8]].concat(), 8, variable), LinkErrorKind::CutShort);
}

#[test]
fn a_symbol_that_is_declared_only() {
    let ghost = homeless(SymbolSection::Undefined);
    assert_eq!(wrong(&[LDDW, EXIT].concat(), 0, &ghost), LinkErrorKind::Undefined("ghost".to_owned()));
    assert_eq!(wrong(&[CALL, EXIT].concat(), 0, &ghost), LinkErrorKind::Undefined("ghost".to_owned()));
}

#[test]
fn a_symbol_that_is_common() {
    let ghost = homeless(SymbolSection::Common);
    assert_eq!(wrong(&[LDDW, EXIT].concat(), 0, ghost), LinkErrorKind::Common("ghost".to_owned()));
}

#[test]
fn a_symbol_that_is_a_number() {
    let ghost = homeless(SymbolSection::Absolute);
    assert_eq!(wrong(&[LDDW, EXIT].concat(), 0, ghost), LinkErrorKind::NoPlace("ghost".to_owned()));
}

#[test]
fn a_symbol_in_a_section_that_is_nothing_to_a_program() {
    let notes = |elf: &mut Elf| {
        let section = elf.data("notes", &[1; 8]);
        elf.var(section, "note", 0, 8)
    };
    let expected = LinkErrorKind::UnknownSection { symbol: "note".to_owned(), section: "notes".to_owned() };
    assert_eq!(wrong(&[LDDW, EXIT].concat(), 0, notes), expected);
}

#[test]
fn a_call_to_the_middle_of_a_function() {
    let no_function = |offset| LinkErrorKind::NoFunction { section: ".text".to_owned(), offset };
    // The symbol is at byte 8; imm 1 means two slots further.
    assert_eq!(wrong(&[CALL_1, EXIT].concat(), 0, function), no_function(24));
    assert_eq!(wrong(&[LDDW_8, EXIT].concat(), 0, function), no_function(16));
}

#[test]
fn a_call_without_a_record_to_where_no_function_begins() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[R0, CALL_1, EXIT].concat());
    let error = link_error(&plan(&elf.build()).unwrap());
    assert_eq!(error.kind, LinkErrorKind::NoFunction { section: "socket".to_owned(), offset: 24 });
    assert_eq!(error.insn, 1);
}

#[test]
fn a_call_far_before_the_section() {
    let call = [0x85, 0x10, 0, 0, 0, 0, 0, 0x80]; // call -2147483648
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[&call[..], EXIT].concat());
    let offset = 8 + i64::from(i32::MIN) * 8;
    let expected = LinkErrorKind::NoFunction { section: "socket".to_owned(), offset };
    assert_eq!(kind(&plan(&elf.build()).unwrap()), expected);
}

#[test]
fn an_address_in_the_middle_of_a_map_definition() {
    let map = |elf: &mut Elf| {
        let section = elf.data("maps", &[2u32, 4, 4, 1, 0].map(u32::to_le_bytes).concat());
        elf.var(section, "ports", 0, 20)
    };
    let expected = LinkErrorKind::NoMap { section: "maps".to_owned(), offset: 8 };
    assert_eq!(wrong(&[LDDW_8, EXIT].concat(), 0, map), expected);
}

#[test]
fn an_address_outside_the_data() {
    let outside = |offset| LinkErrorKind::OutsideData { section: ".data".to_owned(), offset, size: 8 };
    assert_eq!(wrong(&[LDDW_8, EXIT].concat(), 0, variable), outside(8));
    let before = [0x18, 0x01, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]; // lddw r1, -1
    assert_eq!(wrong(&[&before[..], EXIT].concat(), 0, variable), outside(-1));
    let hostile = |elf: &mut Elf| {
        let data = elf.data(".data", &[1; 8]);
        elf.var(data, "limit", u64::MAX, 8)
    };
    assert_eq!(wrong(&[LDDW, EXIT].concat(), 0, hostile), outside(-1));
}

#[test]
fn a_core_record_without_an_access() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[R0, R0, EXIT].concat());
    let mut types = Types::new();
    let ext = btf_ext(&mut types, &[], &[], &[("socket", &[[8, 1, 0, 0]])]);
    elf.btf(&types);
    elf.data(".BTF.ext", &ext);
    let error = link_error(&plan(&elf.build()).unwrap());
    let problem = "access ``: expected numbers with colons between them".to_owned();
    assert_eq!((error.insn, error.kind), (1, LinkErrorKind::Core(problem)));
}

#[test]
fn a_program_that_is_longer_than_the_kernel_takes() {
    let mut elf = Elf::new();
    let long = R0.repeat(1_000_001);
    elf.program("socket", "filter", &long);
    assert_eq!(kind(&plan(&elf.build()).unwrap()), LinkErrorKind::TooLong(1_000_000));
}

#[test]
fn an_error_names_the_section_and_the_slot_that_the_instruction_is_in() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[R0, EXIT, R0, CALL, EXIT].concat());
    elf.func(text, "other", 0, 16);
    let bump = elf.func(text, "bump", 16, 24);
    let ghost = homeless(SymbolSection::Undefined)(&mut elf);
    elf.reloc(text, 24, R_BPF_64_32, ghost);
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    elf.reloc(code, 0, R_BPF_64_32, bump);
    let expected = "program `filter`, section `.text`, insn 3: `ghost` is not defined in this object, \
        nor declared __kconfig or __ksym: a function that was never linked in, or an extern without BTF";
    assert_eq!(link_error(&plan(&elf.build()).unwrap()).to_string(), expected);
}

#[test]
fn a_program_that_cannot_be_linked_does_not_spoil_the_others() {
    let mut elf = Elf::new();
    let bad = elf.program("socket/bad", "bad", &[CALL, EXIT].concat());
    let ghost = homeless(SymbolSection::Undefined)(&mut elf);
    elf.reloc(bad, 0, R_BPF_64_32, ghost);
    elf.program("socket/good", "good", EXIT);
    let plan = plan(&elf.build()).unwrap();
    assert_eq!(link_error(&plan).program, "bad");
    assert_eq!(program(&plan, "good").insns.len(), 1);
}

#[test]
fn a_map_that_cannot_be_created_spoils_only_the_program_that_uses_it() {
    let mut elf = Elf::new();
    let maps = elf.data("maps", &[1; 8]); // too short for a definition
    let ports = elf.var(maps, "ports", 0, 8);
    let user = elf.program("socket/user", "user", &[LDDW, EXIT].concat());
    elf.program("socket/other", "other", EXIT);
    elf.reloc(user, 0, R_BPF_64_64, ports);
    let plan = plan(&elf.build()).unwrap();
    let expected = "program `user`, section `socket/user`, insn 0: it uses a map that cannot be created: \
        section `maps`, map `ports`: 8 bytes, expected at least 20";
    assert_eq!(link_error(&plan).to_string(), expected);
    assert_eq!(program(&plan, "other").insns.len(), 1);
}

#[test]
fn a_function_that_makes_no_sense_spoils_only_the_program_that_needs_it() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[R0, EXIT].concat());
    let broken = elf.func(text, "broken", 0, 12); // no whole slots
    let caller = elf.program("socket/caller", "caller", &[CALL, EXIT].concat());
    elf.reloc(caller, 0, R_BPF_64_32, broken);
    let code = elf.code("socket/broken", EXIT);
    elf.func(code, "itself", 0, 64); // more than the section has
    elf.program("socket/sound", "sound", EXIT);
    let plan = plan(&elf.build()).unwrap();
    let problem = |fate: &Fate| match fate {
        Fate::Unlinkable(error) => error.to_string(),
        _ => "linked".to_owned(),
    };
    let problems: Vec<_> = plan.programs.iter().map(|program| problem(&program.fate)).collect();
    let expected = [
        "program `caller`, section `socket/caller`, insn 0: it needs a function that cannot be used: \
            section `.text`, function `broken`: 12 bytes at 0x0, expected whole slots of 8 bytes",
        "program `itself`, section `socket/broken`, insn 0: it needs a function that cannot be used: \
            section `socket/broken`, function `itself`: ends at 0x40, but may reach only to 0x8",
        "linked",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn types_that_cannot_be_read_spoil_only_the_programs_that_use_a_map_of_them() {
    let mut elf = Elf::new();
    let uses = elf.program("socket/uses", "uses", &[LDDW, EXIT].concat());
    elf.program("socket/other", "other", EXIT);
    let maps = elf.data(".maps", &[0; 32]);
    let ports = elf.var(maps, "ports", 0, 32);
    elf.reloc(uses, 0, R_BPF_64_64, ports);
    elf.data(".BTF", &[0; 24]);
    let plan = plan(&elf.build()).unwrap();
    let error = link_error(&plan);
    assert!(error.to_string().contains("maps are defined by their BTF types"), "{error}");
    assert_eq!(error.program, "uses");
    assert_eq!(program(&plan, "other").insns.len(), 1);
}
