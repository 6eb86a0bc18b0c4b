//! Programs, variables, maps and directories that are named, and are not there or not fit for it.

use crate::support::objects::{compile, object};
use crate::support::process::run;
use crate::{NOBODY, TWO_PROGRAMS, fails};

#[test]
fn an_unknown_program_is_2_and_lists_those_there_are() {
    let made = compile(TWO_PROGRAMS);
    let says = ["no program `third`", "first, second"];
    fails(2, &["check", &made.path(), "--program", "third"], &says);
    fails(2, &["load", &made.path(), "--program", "third", "--connect", NOBODY], &says);
}

#[test]
fn load_of_several_programs_without_a_choice_is_2_and_lists_them() {
    let made = compile(TWO_PROGRAMS);
    fails(2, &["load", &made.path(), "--connect", NOBODY], &["--program", "first, second"]);
    // With the choice made, the same object is fine.
    let ran = run(["load", &made.path(), "--connect", NOBODY, "--program", "second", "--dry-run", "--json"]).expect(0);
    assert!(ran.text().contains("\"prog_name\":\"second\""), "{}", ran.text());
    assert!(!ran.text().contains("\"prog_name\":\"first\""), "{}", ran.text());
}

#[test]
fn load_of_a_program_that_is_only_loaded_by_name_is_2() {
    let made = compile("SEC(\"?socket\") int shy(struct __sk_buff *skb) { return skb->len; }");
    fails(2, &["load", &made.path(), "--connect", NOBODY], &["--program", "shy"]);
}

#[test]
fn an_unknown_variable_is_2_and_lists_those_there_are() {
    let says = ["`shorter_than`", "longer_than", "dropped"];
    fails(2, &["check", &object("drop"), "--set", "shorter_than=1"], &says);
    fails(2, &["load", &object("drop"), "--set", "shorter_than=1", "--connect", NOBODY], &says);
}

#[test]
fn a_value_out_of_range_is_2_and_says_the_range() {
    for value in ["4294967296", "-1", "0x100000000"] {
        let set = format!("longer_than={value}");
        fails(2, &["check", &object("drop"), "--set", &set], &["`longer_than`", value, "0 to 4294967295"]);
    }
    fails(2, &["check", &object("drop"), "--set", "longer_than=many"], &["`many`", "a number"]);
    fails(2, &["check", &object("drop"), "--set", "longer_than"], &["VAR=VALUE"]);
}

#[test]
fn an_unknown_map_is_2_and_lists_those_there_are() {
    let says = ["no map `port`", ".data, .bss, ports"];
    fails(2, &["check", &object("count"), "--map", "port=/nowhere"], &says);
    fails(2, &["load", &object("count"), "--map", "port=/nowhere", "--connect", NOBODY], &says);
    fails(2, &["check", &object("pass"), "--map", "ports=/nowhere"], &["it has none"]);
    for malformed in ["ports", "ports=", "=/nowhere"] {
        fails(2, &["check", &object("count"), "--map", malformed], &["NAME=PATH"]);
    }
}

#[test]
fn a_directory_for_pins_that_is_not_on_a_bpffs_is_2_and_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    for (place, says) in [("", "is not on a bpffs"), ("new", "is not on a bpffs"), ("new/deeper", "No such file")] {
        let place = dir.path().join(place);
        let place = place.to_str().unwrap();
        fails(2, &["check", &object("pass"), "--pin", place], &["--pin", says]);
        fails(2, &["check", &object("pass"), "--pin", place, "--dry-run"], &["--pin", says]);
        fails(2, &["load", &object("pass"), "--pin", place, "--connect", NOBODY], &["--pin", says]);
    }
    let place = dir.path().to_str().unwrap();
    let hint = format!("hint: mount -t bpf bpf {place}");
    let ran = run(["check", &object("pass"), "--pin", place]).expect(2);
    assert!(ran.stderr.contains(&hint), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(place).unwrap().count(), 0);
}

#[test]
fn setting_a_variable_of_a_reused_map_is_2() {
    let args = ["check", &object("drop"), "--map", ".rodata=/nowhere", "--set", "longer_than=9"];
    fails(2, &args, &["`longer_than`", "map `.rodata` is reused"]);
}

#[test]
fn counting_the_events_of_a_filter_that_has_none_is_2() {
    fails(2, &["load", &object("pass"), "--connect", NOBODY, "--count", "1"], &["--count", "ring buffer"]);
}
