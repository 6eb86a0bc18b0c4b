//! `--pin` and `--map`: what is pinned where, what is reused, and what neither can be.

use std::path::PathBuf;

use crate::link::{Options, PinError, PinOptions, PlanError};
use crate::plan::{Plan, Step, pin_name};
use crate::target::Target;
use crate::testing::{CALL, EXIT, Elf, GLOBAL, LDDW, OBJECTS, R_BPF_64_64, Types, plan, plan_with, steps};

/// A committed object.
fn object(name: &str) -> &'static [u8] {
    OBJECTS.iter().find(|(object, _)| *object == name).unwrap().1
}

/// Pins under this directory, reuses these maps.
fn pins(dir: Option<&str>, reuse: &[(&str, &str)]) -> Options {
    let reuse = reuse.iter().map(|(name, path)| ((*name).to_owned(), PathBuf::from(path))).collect();
    Options { pins: PinOptions { dir: dir.map(PathBuf::from), reuse }, ..Options::default() }
}

/// A kernel where these paths exist.
fn with(existing: &[&str]) -> Target {
    Target { pinned: existing.iter().map(PathBuf::from).collect(), ..Target::none() }
}

fn refused(bytes: &[u8], options: &Options, target: &Target) -> PinError {
    match plan_with(bytes, options, target) {
        Err(PlanError::Pin(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The steps from the first that makes a directory or a pin.
fn pinning(plan: &Plan) -> Vec<String> {
    let begins = |step: &String| step.starts_with("mkdir") || step.starts_with("pin");
    steps(plan).into_iter().skip_while(|step| !begins(step)).collect()
}

/// An object with one map of this name, which asks to be pinned by it, and one program of that name.
fn shared(map: &str, program: &str) -> Vec<u8> {
    let mut types = Types::new();
    let (array, one) = (types.number(2), types.number(1));
    let definition = types.pointers(&[("type", array), ("max_entries", one), ("pinning", one)]);
    types.maps(&[(map, definition)]);
    let mut elf = Elf::new();
    let code = elf.program("socket", program, &[LDDW, EXIT].concat());
    let maps = elf.data(".maps", &[0; 32]);
    let map = elf.var(maps, map, 0, 32);
    elf.reloc(code, 0, R_BPF_64_64, map);
    elf.btf(&types);
    elf.build()
}

#[test]
fn without_a_directory_nothing_is_pinned() {
    let plan = plan(object("count")).unwrap();
    assert!(!plan.steps.iter().any(|step| matches!(step, Step::Pin(_))), "{:?}", steps(&plan));
}

#[test]
fn maps_are_pinned_before_the_program_that_needs_them_and_all_of_it_after_the_load() {
    let plan = plan_with(object("count"), &pins(Some("/b"), &[]), &Target::none()).unwrap();
    let expected = [
        "mkdir /b",
        "mkdir /b/maps",
        "pin .data at /b/maps/_data",
        "pin .bss at /b/maps/_bss",
        "pin ports at /b/maps/ports",
        "pin count at /b/count",
    ];
    assert_eq!(pinning(&plan), expected);
    let unpinned = steps(&crate::testing::plan(object("count")).unwrap());
    assert_eq!(steps(&plan), [unpinned.iter().map(String::as_str).collect(), expected.to_vec()].concat());
}

#[test]
fn directories_that_exist_are_not_made_and_one_for_maps_only_where_there_are_maps() {
    let plan = plan_with(object("count"), &pins(Some("/b"), &[]), &with(&["/b", "/b/maps"])).unwrap();
    assert!(pinning(&plan)[0].starts_with("pin "), "{:?}", pinning(&plan));
    let plan = plan_with(object("pass"), &pins(Some("/b/"), &[]), &Target::none()).unwrap();
    assert_eq!(pinning(&plan), ["mkdir /b/", "pin pass at /b/pass"]);
}

#[test]
fn a_pin_that_exists_is_an_error_before_anything_is_done() {
    for (path, name) in [("/b/count", "count"), ("/b/maps/ports", "ports"), ("/b/maps/_bss", ".bss")] {
        let error = refused(object("count"), &pins(Some("/b"), &[]), &with(&["/b", path]));
        assert_eq!(error, PinError::Taken { name: name.to_owned(), path: PathBuf::from(path) });
    }
    // What is pinned besides is nobody's business.
    plan_with(object("count"), &pins(Some("/b"), &[]), &with(&["/b", "/b/other", "/b/maps", "/b/maps/other"])).unwrap();
}

#[test]
fn a_reused_map_is_opened_and_compared_instead_of_created_and_never_written() {
    let plan = plan_with(object("drop"), &pins(None, &[(".rodata", "/b/limits")]), &Target::none()).unwrap();
    let expected = ["btf", "get .rodata from /b/limits", "compare .rodata", "create .bss", "load drop"];
    assert_eq!(steps(&plan), expected);
    let unpinned = crate::testing::plan(object("drop")).unwrap();
    let wanted = |plan: &Plan| plan.maps().map(|map| (map.id, map.name.clone(), map.attr)).collect::<Vec<_>>();
    assert_eq!(wanted(&plan), wanted(&unpinned), "what the object asks for is what it is compared with");
}

#[test]
fn a_reused_map_is_not_pinned_a_second_time() {
    let options = pins(Some("/b"), &[("ports", "/other/ports")]);
    let plan = plan_with(object("count"), &options, &with(&["/b", "/b/maps", "/b/maps/ports"])).unwrap();
    let expected = ["pin .data at /b/maps/_data", "pin .bss at /b/maps/_bss", "pin count at /b/count"];
    assert_eq!(pinning(&plan), expected);
}

#[test]
fn only_a_map_of_the_object_that_is_used_can_be_reused_and_only_once() {
    let known = [".data", ".bss", "ports"].map(str::to_owned).to_vec();
    let error = refused(object("count"), &pins(None, &[("port", "/p")]), &Target::none());
    assert_eq!(error, PinError::UnknownMap { name: "port".to_owned(), known });
    let error = refused(object("count"), &pins(None, &[("ports", "/p"), ("ports", "/q")]), &Target::none());
    assert_eq!(error, PinError::Twice { name: "ports".to_owned() });

    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    let maps = elf.data("maps", &[2u32, 4, 4, 1, 0].map(u32::to_le_bytes).concat());
    elf.var(maps, "spare", 0, 20);
    let error = refused(&elf.build(), &pins(None, &[("spare", "/p")]), &Target::none());
    assert_eq!(error, PinError::UnusedMap { name: "spare".to_owned() });
}

#[test]
fn a_variable_of_a_reused_map_cannot_be_set() {
    let set = vec![("longer_than".to_owned(), "9".to_owned())];
    let options = Options { set, ..pins(None, &[(".rodata", "/p")]) };
    let error = refused(object("drop"), &options, &Target::none());
    assert_eq!(error, PinError::SetInReused { variable: "longer_than".to_owned(), map: ".rodata".to_owned() });
}

#[test]
fn a_map_that_asks_to_be_pinned_by_its_name_is_pinned_once_and_reused_from_then_on() {
    let options = pins(Some("/b"), &[]);
    let first = plan_with(&shared("ports", "first"), &options, &with(&["/b"])).unwrap();
    let expected =
        ["btf", "create ports", "load first", "mkdir /b/maps", "pin ports at /b/maps/ports", "pin first at /b/first"];
    assert_eq!(steps(&first), expected);
    let there = with(&["/b", "/b/maps", "/b/maps/ports", "/b/first"]);
    let second = plan_with(&shared("ports", "second"), &options, &there).unwrap();
    let expected = ["btf", "get ports from /b/maps/ports", "compare ports", "load second", "pin second at /b/second"];
    assert_eq!(steps(&second), expected);
}

#[test]
fn without_a_directory_a_map_that_asks_to_be_pinned_is_not_and_that_is_said() {
    let plan = plan(&shared("ports", "filter")).unwrap();
    assert_eq!(steps(&plan), ["btf", "create ports", "load filter"]);
    let said = plan.maps().next().unwrap().adjusted.clone().unwrap();
    assert_eq!(said, "it asks to be pinned by its name, which only --pin does");
    let plan = plan_with(&shared("ports", "filter"), &pins(Some("/b"), &[]), &Target::none()).unwrap();
    assert_eq!(plan.maps().next().unwrap().adjusted, None);
}

#[test]
fn a_map_that_the_user_names_comes_before_the_one_of_that_name_in_the_directory() {
    let options = pins(Some("/b"), &[("ports", "/other")]);
    let plan = plan_with(&shared("ports", "filter"), &options, &with(&["/b", "/b/maps", "/b/maps/ports"])).unwrap();
    assert_eq!(steps(&plan)[1], "get ports from /other");
}

#[test]
fn two_names_that_become_one_in_the_file_system_are_refused() {
    let same = |map: &str, program: &str| {
        let error = refused(&shared(map, program), &pins(Some("/b"), &[]), &Target::none());
        error.to_string()
    };
    let expected = "`maps` cannot be pinned: /b/maps is meant for the directory of the maps";
    assert_eq!(same("ports", "maps"), expected);

    let mut elf = Elf::new();
    for name in ["count.1", "count_1"] {
        elf.program(&format!("socket/{name}"), name, EXIT);
    }
    let error = refused(&elf.build(), &pins(Some("/b"), &[]), &Target::none());
    assert_eq!(error.to_string(), "`count_1` cannot be pinned: /b/count_1 is meant for `count.1`");
}

#[test]
fn no_name_leads_out_of_the_directory() {
    assert_eq!(pin_name("ports"), "ports");
    assert_eq!(pin_name(".rodata.str1.1"), "_rodata_str1_1");
    assert_eq!(pin_name("../../etc/passwd"), "______etc_passwd");
    assert_eq!(pin_name("a\0b"), "a_b");
}

#[test]
fn an_object_of_which_nothing_can_be_linked_pins_nothing() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    let nowhere = object::write::SymbolSection::Undefined;
    let gone = elf.symbol(nowhere, "gone", object::SymbolKind::Text, 0, 0, object::SymbolScope::Dynamic);
    elf.reloc(code, 0, crate::testing::R_BPF_64_32, gone);
    let plan = plan_with(&elf.build(), &pins(Some("/b"), &[]), &Target::none()).unwrap();
    assert!(plan.steps.is_empty(), "{:?}", steps(&plan));
}

#[test]
fn a_reused_map_of_maps_needs_no_pattern_and_keeps_its_slots() {
    let mut types = Types::new();
    let (array, one, outer_type) = (types.number(2), types.number(1), types.number(12));
    let inner = types.pointers(&[("type", array), ("max_entries", one)]);
    let pointer = types.ptr(inner);
    let values = types.array(pointer, 1);
    let outer = types.pointers(&[("type", outer_type), ("max_entries", one), ("values", values)]);
    let vars = [types.var("outer", outer, GLOBAL), types.var("inner", inner, GLOBAL)];
    types.datasec(".maps", &[[vars[0], 0, 32], [vars[1], 32, 32]]);
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let maps = elf.data(".maps", &[0; 64]);
    let outer = elf.var(maps, "outer", 0, 32);
    let inner = elf.var(maps, "inner", 32, 32);
    elf.reloc(code, 0, R_BPF_64_64, outer);
    elf.reloc(maps, 16, 2, inner); // `values` is the third member
    elf.btf(&types);
    let plan = plan_with(&elf.build(), &pins(None, &[("outer", "/p")]), &Target::none()).unwrap();
    assert_eq!(steps(&plan), ["btf", "create inner", "get outer from /p", "compare outer", "load filter"]);
}
