use super::{Fate, MapId, Plan, Step, kernel_name};
use crate::link::{Options, PlanError};
use crate::target::Target;
use crate::testing::{EXIT, Elf, LDDW, OBJECTS, R_BPF_64_64, R0, Types, plan, plan_with, program, steps};

/// A `struct bpf_map_def` of an array of four bytes.
const ARRAY: [u32; 5] = [2, 4, 4, 1, 0];

/// Three programs, each of which uses another of the data sections and maps; `spare` is used by nobody.
fn sample() -> Vec<u8> {
    let mut elf = Elf::new();
    let one = elf.program("socket/one", "one", &[LDDW, LDDW, EXIT].concat());
    let two = elf.program("?socket", "two", &[LDDW, EXIT].concat());
    elf.program("socket/three", "three", &[R0, EXIT].concat());
    elf.program("xdp", "other", EXIT);
    let rodata = elf.data(".rodata", &[1, 2]);
    let maps =
        elf.data("maps", &[ARRAY, ARRAY, ARRAY].concat().iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>());
    let data = elf.data(".data", &[3, 4]);
    let bss = elf.bss(".bss", 8);
    let [limit, second, state] =
        [elf.var(rodata, "limit", 0, 2), elf.var(maps, "second", 20, 20), elf.var(data, "state", 0, 2)];
    elf.var(maps, "spare", 0, 20);
    elf.var(maps, "third", 40, 20);
    elf.var(bss, "count", 0, 8);
    elf.reloc(one, 0, R_BPF_64_64, second);
    elf.reloc(one, 16, R_BPF_64_64, limit);
    elf.reloc(two, 0, R_BPF_64_64, state);
    elf.btf(&Types::new());
    elf.build()
}

/// The steps for the program of this name alone.
fn steps_for(name: &str) -> Vec<String> {
    steps(&plan_with(&sample(), &only(name), &Target::none()).unwrap())
}

fn only(name: &str) -> Options {
    Options { program: Some(name.to_owned()), ..Options::default() }
}

/// Name and fate of each program, the fate in one word.
fn fates(plan: &Plan) -> Vec<(&str, &'static str)> {
    let word = |fate: &Fate| match fate {
        Fate::Load(_) => "load",
        Fate::Sibling(_) => "sibling",
        Fate::Skip => "skip",
        Fate::Unlinkable(_) => "unlinkable",
    };
    plan.programs.iter().map(|program| (program.name.as_str(), word(&program.fate))).collect()
}

#[test]
fn types_come_first_then_maps_in_the_order_of_the_file_then_contents_then_programs() {
    let expected =
        ["btf", "create .rodata", "create second", "write .rodata [1, 2]", "freeze .rodata", "load one", "load three"];
    assert_eq!(steps(&plan(&sample()).unwrap()), expected);
}

#[test]
fn maps_of_one_section_stand_by_offset_whoever_uses_them_first() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, LDDW, EXIT].concat());
    let maps = elf.data("maps", &[ARRAY, ARRAY].concat().iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>());
    let (late, early) = (elf.var(maps, "late", 20, 20), elf.var(maps, "early", 0, 20));
    elf.reloc(code, 0, R_BPF_64_64, late);
    elf.reloc(code, 16, R_BPF_64_64, early);
    assert_eq!(steps(&plan(&elf.build()).unwrap()), ["create early", "create late", "load filter"]);
}

#[test]
fn all_maps_are_created_before_the_first_is_written() {
    let count = steps(&plan(OBJECTS[0].1).unwrap());
    let expected =
        ["btf", "create .data", "create .bss", "create ports", "write .data [255, 255, 255, 255]", "load count"];
    assert_eq!(count, expected, "zeros of .bss are not written, and only .rodata is frozen");
    let drop = steps(&plan(OBJECTS[1].1).unwrap());
    let expected =
        ["btf", "create .rodata", "create .bss", "write .rodata [255, 255, 255, 255]", "freeze .rodata", "load drop"];
    assert_eq!(drop, expected);
}

#[test]
fn maps_that_no_program_to_be_loaded_uses_are_not_created_but_named() {
    assert_eq!(plan(&sample()).unwrap().unused_maps, ["spare", "third", ".data", ".bss"]);
    let two = plan_with(&sample(), &only("two"), &Target::none()).unwrap();
    assert_eq!(two.unused_maps, [".rodata", "spare", "second", "third", ".bss"]);
}

#[test]
fn read_only_data_of_zeros_is_frozen_without_being_written() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let rodata = elf.data(".rodata", &[0; 4]);
    let limit = elf.var(rodata, "limit", 0, 4);
    elf.reloc(code, 0, R_BPF_64_64, limit);
    assert_eq!(steps(&plan(&elf.build()).unwrap()), ["create .rodata", "freeze .rodata", "load filter"]);
}

#[test]
fn a_program_with_a_question_mark_is_skipped_unless_it_is_named() {
    assert_eq!(fates(&plan(&sample()).unwrap()), [("one", "load"), ("two", "skip"), ("three", "load")]);
    let named = plan_with(&sample(), &only("two"), &Target::none()).unwrap();
    assert_eq!(fates(&named), [("one", "skip"), ("two", "load"), ("three", "skip")]);
    assert_eq!(steps_for("two"), ["btf", "create .data", "write .data [3, 4]", "load two"]);
}

#[test]
fn a_program_without_maps_takes_two_calls() {
    assert_eq!(steps_for("three"), ["btf", "load three"]);
}

#[test]
fn where_nothing_is_loaded_no_types_are() {
    let mut elf = Elf::new();
    elf.program("?socket", "filter", EXIT);
    elf.btf(&Types::new());
    assert_eq!(steps(&plan(&elf.build()).unwrap()), [""; 0]);
}

#[test]
fn a_program_that_does_not_exist_is_told_those_that_do() {
    let error = plan_with(&sample(), &only("other"), &Target::none()).unwrap_err();
    assert_eq!(error.to_string(), "no program `other` in this object; there are: one, two, three");
}

#[test]
fn a_section_that_the_user_names_holds_socket_filters_too() {
    let options = Options { section: Some("xdp".to_owned()), ..Options::default() };
    let plan = plan_with(&sample(), &options, &Target::none()).unwrap();
    assert_eq!(fates(&plan).last(), Some(&("other", "load")));
}

#[test]
fn an_object_without_a_socket_filter_is_told_where_its_code_is() {
    let mut elf = Elf::new();
    elf.program("xdp", "filter", EXIT);
    elf.program("tc", "other", EXIT);
    assert_eq!(
        plan(&elf.build()).unwrap_err().to_string(),
        "no socket filter in this object: its code is in `xdp`, `tc`"
    );
    let mut empty = Elf::new();
    let data = empty.data(".data", &[1]);
    empty.var(data, "x", 0, 1);
    assert_eq!(plan(&empty.build()), Err(PlanError::NoProgram { found: vec!["no section".to_owned()] }));
}

#[test]
fn the_same_object_gives_the_same_plan() {
    for (name, bytes) in OBJECTS {
        assert_eq!(plan(bytes).unwrap(), plan(bytes).unwrap(), "{name}");
    }
}

#[test]
fn a_program_keeps_its_licence_its_section_and_its_records() {
    let plan = plan(OBJECTS[0].1).unwrap();
    let count = program(&plan, "count");
    assert_eq!((count.license.as_str(), count.section.as_str()), ("Dual MIT/GPL", "socket"));
    assert_eq!((count.insns.len(), count.func_info.len(), count.has_records()), (51, 1, true));
    assert!(count.line_info.iter().is_sorted_by_key(|line| line.insn_off));
    assert_eq!(count.map_ids(), [MapId(0), MapId(1), MapId(2)]);
    assert_eq!(plan.map(MapId(2)).unwrap().name, "ports");
}

#[test]
fn the_tag_is_the_one_that_linux_6_18_gave_the_program() {
    for (index, expected) in [(0, "a317155a4f122c0b"), (1, "8b6e7a150b461d6a"), (3, "9c4357e2922ba1ee")] {
        let (name, bytes) = OBJECTS[index];
        let tags = program(&plan(bytes).unwrap(), name).tags();
        let sha256: String = tags.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sha256, expected, "{name}");
        assert!(tags.agree_with(tags.sha256) && tags.agree_with(tags.sha1) && !tags.agree_with([0; 8]));
    }
}

#[test]
fn the_tag_does_not_depend_on_descriptors() {
    let plan = plan(OBJECTS[0].1).unwrap();
    let count = program(&plan, "count");
    let with_other_descriptors = super::Tags::of(&count.resolve(|map| 1000 + map.0 as i32));
    assert_eq!(with_other_descriptors, count.tags());
    let mut other = count.resolve(|_| 0);
    other[0].imm = 1;
    assert_ne!(super::Tags::of(&other), count.tags(), "but on every other byte");
}

#[test]
fn a_map_cannot_be_referred_to_before_it_is_created() {
    for (name, bytes) in OBJECTS {
        let mut created = Vec::new();
        for step in &plan(bytes).unwrap().steps {
            match step {
                Step::MapCreate(map) => created.push(map.id),
                Step::MapUpdate(update) => assert!(created.contains(&update.map), "{name}"),
                Step::SlotUpdate(update) => assert!(created.contains(&update.map), "{name}"),
                Step::MapFreeze(freeze) => assert!(created.contains(&freeze.map), "{name}"),
                Step::ProgLoad(program) => assert!(program.map_ids().iter().all(|id| created.contains(id)), "{name}"),
                Step::BtfLoad(_) => assert!(created.is_empty(), "{name}"),
                Step::Pin(step) => panic!("{name}: nobody asked for {step:?}"),
            }
        }
    }
}

#[test]
fn a_name_is_cut_to_15_bytes_and_made_of_what_the_kernel_accepts() {
    assert_eq!(kernel_name("ports"), "ports");
    assert_eq!(kernel_name(".rodata.str1.1"), ".rodata.str1.1");
    assert_eq!(kernel_name("smallest_packet_of_all"), "smallest_packet");
    assert_eq!(kernel_name("a-b c/d"), "a_b_c_d");
    assert_eq!(kernel_name("größe"), "gr__e", "a letter that is not ASCII becomes one underscore");
    assert_eq!(kernel_name(""), "");
}
