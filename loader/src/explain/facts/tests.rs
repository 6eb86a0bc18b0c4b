use serde_json::Value as Json;

use super::{Facts, MapFacts, ProgramFacts, Readings, Record, Role, Stage};
use crate::elf::Object;
use crate::explain::page::{Line, Look, page};
use crate::link::Options;
use crate::plan::{Plan, Step};
use crate::spec::Spec;
use crate::target::Target;
use crate::testing::{CALL, CALL_1, EXIT, Elf, LDDW, LDDW_8, OBJECTS, R_BPF_64_32, R_BPF_64_64, R0, Types};

/// The facts about an object, for no kernel in particular.
fn facts(bytes: &[u8]) -> Facts {
    let object = Object::parse(bytes).expect("the object is readable");
    let spec = Spec::read(&object).ok();
    let plan = spec.as_ref().and_then(|spec| Plan::new(spec, &Options::default(), &Target::none()).ok());
    Facts::of(&Readings { bytes, object: &object, spec: spec.as_ref(), plan: plan.as_ref(), extra_section: None })
}

fn of_map<'f>(facts: &'f Facts, name: &str) -> &'f MapFacts {
    facts.maps.iter().find(|map| map.name == name).unwrap()
}

fn of_program<'f>(facts: &'f Facts, name: &str) -> &'f ProgramFacts {
    facts.programs.iter().find(|program| program.name == name).unwrap()
}

/// Name and role of each section that a loader does something with.
fn roles(facts: &Facts) -> Vec<(&str, Role)> {
    let used = facts.sections.iter().filter(|section| section.role != Role::Ignored);
    used.map(|section| (section.name.as_str(), section.role)).collect()
}

/// Members of a definition: name, value, what it sets.
fn members(map: &MapFacts) -> Vec<(&str, Option<u64>, &str)> {
    map.definition.iter().map(|member| (member.name.as_str(), member.value, member.sets.as_str())).collect()
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
fn each_number_of_a_definition_is_followed_through_the_types() {
    let facts = facts(OBJECTS[0].1);
    let ports = of_map(&facts, "ports");
    let from: Vec<_> = ports.definition.iter().map(|member| member.from.as_str()).collect();
    let expected = [
        "PTR [1] -> ARRAY [3] of 1",
        "PTR [5] -> ARRAY [6] of 1024",
        "PTR [7] -> TYPEDEF __u16 [8] -> INT unsigned short [9]",
        "PTR [10] -> STRUCT traffic [11]",
    ];
    assert_eq!(from, expected);
    let expected = [
        ("type", Some(1), "map_type = BPF_MAP_TYPE_HASH"),
        ("max_entries", Some(1024), "max_entries = 1024"),
        ("key", Some(2), "key_size = 2, btf_key_type_id = 8"),
        ("value", Some(16), "value_size = 16, btf_value_type_id = 11"),
    ];
    assert_eq!(members(ports), expected);
}

#[test]
fn what_a_definition_sets_is_what_the_map_is_created_with() {
    for (name, bytes) in OBJECTS {
        let facts = facts(bytes);
        for map in facts.maps.iter().filter(|map| map.created) {
            let step =
                facts.steps.iter().find(|step| step.call.why.starts_with(&format!("map `{}`", map.name))).unwrap();
            let attr = step.call.json();
            for sets in map.definition.iter().flat_map(|member| member.sets.split(", ")) {
                let (field, value) = sets.split_once(" = ").unwrap();
                assert_eq!(attr["attr"][field].to_string().trim_matches('"'), value, "{name}, {}", map.name);
            }
        }
    }
}

#[test]
fn a_legacy_definition_is_read_byte_by_byte() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let words = [2u32, 4, 8, 16, 0];
    let maps = elf.data("maps", &words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    let counts = elf.var(maps, "counts", 0, 20);
    elf.reloc(code, 0, R_BPF_64_64, counts);
    let facts = facts(&elf.build());
    let counts = of_map(&facts, "counts");
    assert_eq!(counts.definition[3].from, "the word at byte 0xc");
    assert_eq!(members(counts)[3], ("max_entries", Some(16), "max_entries = 16"));
    assert_eq!(counts.why, "created: program `filter` uses it");
}

#[test]
fn a_map_that_nobody_uses_says_that_it_is_not_created() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &[R0, EXIT].concat());
    let data = elf.data(".data", &[1]);
    elf.var(data, "state", 0, 1);
    let facts = facts(&elf.build());
    let data = of_map(&facts, ".data");
    assert_eq!((data.created, data.why.as_str()), (false, "not created: no program to be loaded reaches it"));
    assert_eq!(data.variables[0].name, "state");
}

#[test]
fn a_hole_names_the_record_that_told_of_it() {
    let facts = facts(OBJECTS[0].1);
    let holes = &of_program(&facts, "count").holes;
    assert_eq!(holes.len(), 5);
    let Record::Elf { section, file_offset, r_offset, r_type_name, name, place, .. } = &holes[1].record else {
        panic!("{:?}", holes[1].record);
    };
    assert_eq!((section.as_str(), *r_offset, r_type_name.as_str()), (".relsocket", 0x58, "R_BPF_64_64"));
    assert_eq!((name.as_str(), place.as_str()), ("total_bytes", ".bss + 0x8"));
    assert_eq!(*file_offset, Some(0xbe8 + 16), "the second record of a section at 0xbe8");
    let source = holes[1].source.as_ref().unwrap();
    assert_eq!((source.line, source.text.as_str()), (35, "__sync_fetch_and_add(&total_bytes, skb->len);"));
}

#[test]
fn a_hole_in_an_appended_function_names_the_record_of_the_functions_own_section() {
    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[CALL, EXIT].concat());
    let text = elf.code(".text", &[R0, EXIT, LDDW, EXIT].concat());
    elf.func(text, "unused", 0, 16);
    let callee = elf.func(text, "callee", 16, 24);
    let data = elf.data(".data", &[0; 16]);
    let state = elf.var(data, "state", 8, 8);
    elf.reloc(code, 0, R_BPF_64_32, callee);
    elf.reloc(text, 16, R_BPF_64_64, state);
    let facts = facts(&elf.build());
    let filter = of_program(&facts, "filter");
    assert_eq!(filter.functions[1].insn, 2);
    let hole = &filter.holes[1];
    assert_eq!(hole.insn, 2);
    assert!(matches!(&hole.record, Record::Elf { section, r_offset: 16, .. } if section == ".rel.text"), "{hole:?}");
    assert_eq!(hole.text_after, "r1 = map value + 8");
}

#[test]
fn a_call_that_the_compiler_filled_in_has_no_record() {
    let mut elf = Elf::new();
    let code = elf.code("socket", &[CALL_1, R0, EXIT, R0, EXIT].concat());
    elf.func(code, "filter", 0, 16);
    elf.func(code, "callee", 16, 24);
    let facts = facts(&elf.build());
    let hole = &of_program(&facts, "filter").holes[0];
    assert_eq!(hole.record, Record::None);
    assert_eq!(hole.left_open, "not noticed: the bytes are the same");
}

#[test]
fn a_program_that_cannot_be_linked_is_explained_as_such_and_the_others_all_the_same() {
    let mut elf = Elf::new();
    let bad = elf.program("socket/bad", "bad", &[LDDW_8, EXIT].concat());
    elf.program("socket/good", "good", &[R0, EXIT].concat());
    elf.program("?socket", "shy", &[R0, EXIT].concat());
    let other = elf.data("elsewhere", &[0; 16]);
    let thing = elf.var(other, "thing", 0, 8);
    elf.reloc(bad, 0, R_BPF_64_64, thing);
    let facts = facts(&elf.build());
    assert!(of_program(&facts, "bad").error.as_ref().unwrap().contains("`thing`"));
    assert_eq!(of_program(&facts, "shy").fate, "skipped");
    assert!(of_program(&facts, "good").tag_sha256.is_some());
    let text = text(&facts, &Look::default());
    assert!(text.contains("program `bad`, section socket/bad: unlinkable"), "{text}");
    assert!(text.contains("program `good`"), "{text}");
}

#[test]
fn an_object_without_programs_still_has_sections_and_maps() {
    let mut elf = Elf::new();
    elf.program("xdp", "other", EXIT);
    elf.data(".data", &[1]);
    let facts = facts(&elf.build());
    assert_eq!(of_map(&facts, ".data").why, "not created: there is no program to load");
    assert!(facts.programs.is_empty() && facts.steps.is_empty());
}

#[test]
fn types_that_cannot_be_read_leave_the_section_map() {
    let mut elf = Elf::new();
    elf.program("socket", "filter", EXIT);
    elf.data(".BTF", &[0; 24]);
    let facts = facts(&elf.build());
    let socket = facts.sections.iter().find(|section| section.name == "socket").unwrap();
    assert!(socket.does.contains("cannot be read"), "{}", socket.does);
    assert!(facts.maps.is_empty());
}

#[test]
fn every_field_of_every_call_says_where_its_value_comes_from() {
    let mut objects: Vec<Vec<u8>> = OBJECTS.iter().map(|(_, bytes)| bytes.to_vec()).collect();
    objects.push(map_of_maps());
    for bytes in objects {
        for step in &facts(&bytes).steps {
            for ((field, _), source) in step.call.fields.iter().zip(&step.sources) {
                assert_ne!(*source, "", "{:?}, field {field}", step.call.command);
            }
        }
    }
}

/// `outer` holds a map in slot 1.
fn map_of_maps() -> Vec<u8> {
    let mut types = Types::new();
    let (hash, array_of_maps, four) = (types.number(1), types.number(12), types.number(4));
    let members = [("type", hash), ("key_size", four), ("value_size", four), ("max_entries", four)];
    let inner = types.pointers(&members);
    let pointer = types.ptr(inner);
    let values = types.array(pointer, 0);
    let members = [("type", array_of_maps), ("key_size", four), ("max_entries", four), ("values", values)];
    let outer = types.pointers(&members);
    let vars = [[types.var("one", inner, 1), 0, 32], [types.var("outer", outer, 1), 32, 48]];
    types.datasec(".maps", &vars);

    let mut elf = Elf::new();
    let code = elf.program("socket", "filter", &[LDDW, EXIT].concat());
    let maps = elf.data(".maps", &[0; 80]);
    let one = elf.var(maps, "one", 0, 32);
    let outer = elf.var(maps, "outer", 32, 48);
    elf.reloc(code, 0, R_BPF_64_64, outer);
    elf.reloc(maps, 32 + 24 + 8, 2, one);
    elf.btf(&types);
    elf.build()
}

#[test]
fn a_map_of_maps_says_what_it_holds() {
    let facts = facts(&map_of_maps());
    let outer = of_map(&facts, "outer");
    assert_eq!(outer.slots, ["[1] = one"]);
    assert!(outer.definition.iter().any(|member| member.name == "values.type"), "{:?}", outer.definition);
    assert_eq!(of_map(&facts, "one").why, "created: held by map `outer`");
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
    assert_eq!(kinds(Stage::Reloc), ["section", "mapdef", "program", "patch"]);
    assert_eq!(kinds(Stage::Plan), ["section", "mapdef", "program", "step", "patch", "step"]);
    for (until, title) in [(Stage::Elf, "1. "), (Stage::Maps, "2. "), (Stage::Reloc, "3. "), (Stage::Plan, "4. ")] {
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
