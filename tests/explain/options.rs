//! What is asked for: stages, programs, variables, lessons, letters.

use crate::explain;
use crate::support::objects::{compile, object, program};
use crate::support::process::run_with_input;
use crate::support::text;

#[test]
fn it_stops_after_the_stage_that_was_asked_for() {
    for (stage, last) in [("elf", "section"), ("maps", "mapdef"), ("reloc", "patch"), ("plan", "step")] {
        let ran = explain(&object("count"), &["--json", "--until", stage]).expect(0);
        assert_eq!(text(ran.lines().last().unwrap(), "kind"), last, "{stage}");
    }
    explain(&object("count"), &["--until", "attach"]).expect(2);
}

#[test]
fn one_program_of_several_can_be_chosen_and_by_default_all_are_explained() {
    let made = compile(
        "SEC(\"socket\") int first(struct __sk_buff *skb) { return skb->len; }
         SEC(\"?socket\") int shy(struct __sk_buff *skb) { return 0; }",
    );
    let fates = |more: &[&str]| {
        let programs = explain(&made.path(), &[&["--json"], more].concat()).expect(0).kind("program");
        programs.iter().map(|line| (text(line, "name").to_owned(), text(line, "fate").to_owned())).collect::<Vec<_>>()
    };
    let pair = |name: &str, fate: &str| (name.to_owned(), fate.to_owned());
    assert_eq!(fates(&[]), [pair("first", "load"), pair("shy", "skipped")]);
    assert_eq!(fates(&["--program", "shy"]), [pair("first", "skipped"), pair("shy", "load")]);
    explain(&made.path(), &["--program", "nosuch"]).expect(2);
    assert_eq!(explain(&made.path(), &["--program", "nosuch"]).text(), "", "nothing is explained before a wrong name");
}

#[test]
fn the_object_may_come_from_standard_input() {
    let bytes = std::fs::read(object("pass")).unwrap();
    let ran = run_with_input(["explain", "-", "--until", "elf"], &bytes).expect(0);
    assert_eq!(ran.text(), explain(&object("pass"), &["--until", "elf"]).expect(0).text());
}

#[test]
fn several_maps_of_a_section_are_named_as_several() {
    let does = |path: &str| explain(path, &["--until", "elf"]).expect(0).text();
    assert!(does(&program("dispatch")).contains(" maps `protocols`, `not_ip`, `ended`; "));
    assert!(does(&object("count")).contains(" map `ports`; "));
}

#[test]
fn a_variable_that_is_set_shows_in_the_bytes_that_are_written() {
    let value = |set: &[&str]| {
        let steps = explain(&object("drop"), &[&["--json"], set].concat()).expect(0).kind("step");
        let update = steps.into_iter().find(|step| step["call"] == "BPF_MAP_UPDATE_ELEM").unwrap();
        update["attr"]["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(value(&[]), "ffffffff");
    assert_eq!(value(&["--set", "longer_than=100"]), "64000000");
}

#[test]
fn a_map_that_is_reused_is_not_said_to_be_created() {
    let ran = explain(&object("count"), &["--json", "--map", "ports=/nowhere"]).expect(0);
    let maps = ran.kind("mapdef");
    let ports = maps.iter().find(|map| map["name"] == "ports").unwrap();
    let why = "not created, but reused from /nowhere: program `count` uses it";
    assert_eq!((&ports["created"], text(ports, "why")), (&false.into(), why));
    assert!(maps.iter().filter(|map| map["name"] != "ports").all(|map| map["created"] == true), "{maps:?}");
}

#[test]
fn quiet_leaves_out_the_lessons_and_colour_is_for_headings() {
    let lesson = "An object for BPF is an ordinary relocatable ELF file";
    assert!(explain(&object("pass"), &[]).text().contains(lesson));
    assert!(!explain(&object("pass"), &["-q"]).text().contains(lesson));
    assert!(!explain(&object("pass"), &[]).text().contains('\u{1b}'), "standard output is no terminal here");
    assert!(explain(&object("pass"), &["--color", "always"]).text().starts_with("\u{1b}[1m1. elf"));
}

#[test]
fn with_ascii_the_letters_of_a_source_line_are_escaped() {
    let made = compile(
        "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, int); __uint(max_entries, 1); } ports SEC(\".maps\"); SEC(\"socket\") int keeps(struct __sk_buff *skb) { int x = 0; return bpf_map_lookup_elem(&ports, &x) ? skb->len : 0; /* café … */ }",
    );
    let plain = explain(&made.path(), &["--until", "reloc"]).expect(0).text();
    assert!(plain.contains("café …"), "{plain}");
    let escaped = explain(&made.path(), &["--until", "reloc", "--ascii"]).expect(0).text();
    assert!(escaped.is_ascii() && escaped.contains("caf\\u{e9} ..."), "{escaped}");
}
