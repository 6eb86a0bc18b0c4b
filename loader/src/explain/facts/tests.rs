mod holes;
mod maps;

use serde_json::Value as Json;

use super::{Facts, Readings, Role, Stage};
use crate::elf::Object;
use crate::explain::page::{Line, Look, page};
use crate::link::Options;
use crate::lint::Limits;
use crate::plan::{Plan, Step};
use crate::spec::Spec;
use crate::target::Target;
use crate::testing::{EXIT, Elf, OBJECTS};

/// The facts about an object, for no kernel in particular.
fn facts(bytes: &[u8]) -> Facts {
    let object = Object::parse(bytes).expect("the object is readable");
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::none()).ok();
    Facts::of(&Readings { bytes, spec: &spec, plan: plan.as_ref(), extra_section: None, limits: Limits::default() })
}

/// Name and role of each section that a loader does something with.
fn roles(facts: &Facts) -> Vec<(&str, Role)> {
    let used = facts.sections.iter().filter(|section| section.role != Role::Ignored);
    used.map(|section| (section.name.as_str(), section.role)).collect()
}

/// The whole text.
fn text(facts: &Facts, look: &Look) -> String {
    let lines = page(facts, Stage::Plan, look).into_iter().map(|line| match line {
        Line::Heading(text) | Line::Text(text) => text,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_section_is_what_the_loader_makes_of_it() {
    let expected = [
        (".strtab", Role::Names),
        ("socket", Role::Program),
        (".relsocket", Role::Relocs),
        (".data", Role::Data),
        (".bss", Role::Data),
        (".maps", Role::Maps),
        ("license", Role::License),
        (".BTF", Role::Types),
        (".BTF.ext", Role::Lines),
        (".symtab", Role::Symbols),
    ];
    assert_eq!(roles(&facts(OBJECTS[0].1)), expected);
}

#[test]
fn a_section_that_is_ignored_says_why() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    elf.program("xdp", "other", EXIT);
    elf.data(".debug_info", &[1]);
    elf.data("somewhere", &[1]);
    let facts = facts(&elf.build());
    let does = |name: &str| &facts.sections.iter().find(|section| section.name == name).unwrap().does;
    assert!(does(".debug_info").starts_with("ignored: debug information"), "{}", does(".debug_info"));
    assert_eq!(does("somewhere"), "ignored: no name that a loader of socket filters knows");
    assert_eq!(does("xdp"), "`other`: no section of socket filters; used only if a program calls it");
}

#[test]
fn an_object_without_programs_still_has_sections_and_maps() {
    let mut elf = Elf::new();
    elf.program("xdp", "other", EXIT);
    elf.data(".data", &[1]);
    let facts = facts(&elf.build());
    assert_eq!(maps::of_map(&facts, ".data").why, "not created: there is no program to load");
    assert!(facts.programs.is_empty() && facts.steps.is_empty());
}

#[test]
fn types_that_cannot_be_read_are_left_out_and_all_else_explained() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    elf.data(".BTF", &[0; 24]);
    let facts = facts(&elf.build());
    let btf = facts.sections.iter().find(|section| section.name == ".BTF").unwrap();
    assert_eq!(btf.does, "ignored: it cannot be read");
    assert_eq!((facts.programs.len(), facts.steps.len()), (1, 1));
}

#[test]
fn every_field_of_every_call_says_where_its_value_comes_from() {
    let mut objects: Vec<Vec<u8>> = OBJECTS.iter().map(|(_, bytes)| bytes.to_vec()).collect();
    objects.push(maps::map_of_maps());
    for bytes in objects {
        for step in &facts(&bytes).steps {
            for ((field, _), source) in step.call.fields.iter().zip(&step.sources) {
                assert_ne!(*source, "", "{:?}, field {field}", step.call.command);
            }
        }
    }
}

/// The source of a field of the last call.
fn source<'f>(facts: &'f Facts, field: &str) -> &'f str {
    let step = facts.steps.last().unwrap();
    step.call.fields.iter().zip(&step.sources).find(|((name, _), _)| *name == field).unwrap().1
}

#[test]
fn a_program_is_one_by_its_sections_name_or_by_what_was_asked_for() {
    assert_eq!(source(&facts(OBJECTS[0].1), "prog_type"), "the section's name begins with `socket`");
    let mut elf = Elf::new();
    elf.program("mine", "filter", EXIT);
    let bytes = elf.build();
    let object = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&object);
    let options = Options { section: Some("mine".to_owned()), ..Options::default() };
    let plan = Plan::new(&spec, &options, &Target::none()).ok();
    let extra_section = Some("mine");
    let readings =
        Readings { bytes: &bytes, spec: &spec, plan: plan.as_ref(), extra_section, limits: Limits::default() };
    assert_eq!(source(&Facts::of(&readings), "prog_type"), "--section names the section");
}

#[test]
fn a_licence_comes_from_its_section_and_one_in_a_section_of_another_name_is_said_to_be_none() {
    assert_eq!(source(&facts(OBJECTS[0].1), "license"), "section `license`");
    for name in ["licence", "LICENSE", "_license", ".license"] {
        let mut elf = Elf::new();
        elf.program("socket", "filter", EXIT);
        elf.data(name, b"GPL\0");
        let facts = facts(&elf.build());
        assert!(source(&facts, "license").starts_with("there is no section `license`"));
        let section = facts.sections.iter().find(|section| section.name == name).unwrap();
        assert!(section.does.contains("from the section `license`, in these letters"), "{}", section.does);
    }
}

#[test]
fn code_that_is_no_whole_slots_is_counted_in_bytes() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[EXIT, EXIT, &[0; 4]].concat());
    let facts = facts(&elf.build());
    let section = facts.sections.iter().find(|section| section.name == "socket").unwrap();
    assert_eq!(section.does, "program `filter`: 20 bytes, which are no whole slots of 8 bytes");
}

#[test]
fn json_and_text_stop_at_the_same_stage() {
    let facts = facts(OBJECTS[0].1);
    let kinds = |until| {
        let mut kinds: Vec<String> =
            facts.json(until, false).iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(Stage::Elf), ["section"]);
    assert_eq!(kinds(Stage::Maps), ["section", "mapdef"]);
    assert_eq!(kinds(Stage::Reloc), ["section", "mapdef", "program", "loads_in", "patch"]);
    assert_eq!(kinds(Stage::Plan), ["section", "mapdef", "program", "loads_in", "step", "patch", "step"]);
    for (until, title) in [(Stage::Elf, "1. "), (Stage::Maps, "2. "), (Stage::Reloc, "lints: "), (Stage::Plan, "4. ")] {
        let mut headings = page(&facts, until, &Look::default()).into_iter().filter_map(|line| match line {
            Line::Heading(title) => Some(title),
            Line::Text(_) => None,
        });
        assert!(headings.next_back().unwrap().starts_with(title));
    }
}

#[test]
fn the_steps_of_the_json_are_those_of_the_plan() {
    for (name, bytes) in OBJECTS {
        let plan = crate::testing::plan(bytes).unwrap();
        let lines = facts(bytes).json(Stage::Plan, false);
        let count = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
        assert_eq!(count("step"), plan.steps.len(), "{name}");
        let holes: usize = plan.prog_loads().map(|program| program.patches.len()).sum();
        assert_eq!(count("patch"), holes, "{name}");
        assert!(matches!(plan.steps.last(), Some(Step::ProgLoad(_))));
        assert_eq!(lines.last().map(|line| &line["call"]), Some(&Json::from("BPF_PROG_LOAD")));
    }
}

#[test]
fn bytes_of_sections_come_only_when_asked_for() {
    let facts = facts(OBJECTS[3].1);
    let socket = |raw| facts.json(Stage::Elf, raw).into_iter().find(|line| line["name"] == "socket").unwrap();
    assert_eq!(socket(false).get("bytes"), None);
    assert!(socket(true)["bytes"].as_str().unwrap().starts_with("6112100000000000"));
    assert!(text(&facts, &Look { bytes: true, ..Look::default() }).contains("0000  61 12 10 00 00 00 00 00"));
}

#[test]
fn text_is_ascii_and_keeps_within_the_terminal_where_words_allow() {
    for (name, bytes) in OBJECTS {
        let look = Look { width: Some(100), lessons: true, full: true, bytes: true };
        let text = text(&facts(bytes), &look);
        assert!(text.is_ascii(), "{name}");
        for line in text.lines() {
            assert!(line.len() <= 100 || !line.trim_start().contains(' '), "{name}: {line}");
        }
    }
}

#[test]
fn no_mangled_object_makes_it_panic() {
    for (_, bytes) in OBJECTS {
        for at in (0..bytes.len()).step_by(37) {
            for byte in [0x00, 0xff] {
                let mut mangled = bytes.to_vec();
                mangled[at] = byte;
                if Object::parse(&mangled).is_ok() {
                    let facts = facts(&mangled);
                    let look = Look { width: Some(80), lessons: true, full: true, bytes: true };
                    assert!(!text(&facts, &look).contains('\u{1b}'));
                    assert!(!facts.json(Stage::Plan, true).is_empty());
                }
            }
        }
    }
}
