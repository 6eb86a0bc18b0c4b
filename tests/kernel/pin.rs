//! `--pin`: what stays, and what a command that fails leaves: nothing.

use std::process::Command;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::{Options, PinOptions};
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;

use crate::support::bpffs::Bpffs;
use crate::support::bpftool::{bpftool, try_bpftool};
use crate::support::objects::{compile, object};
use crate::support::process::{Ran, Running, output_of, run, run_with_input};
use crate::support::server::{HttpServer, closed_port, reading};
use crate::support::{Json, number, text};

const COUNT_PINS: [&str; 6] = ["x", "x/count", "x/maps", "x/maps/_bss", "x/maps/_data", "x/maps/ports"];

/// The id of what is pinned there, as bpftool sees it.
#[track_caller]
pub(crate) fn pinned_id(what: &str, path: &str) -> i64 {
    number(&bpftool(&[what, "show", "pinned", path]), "id")
}

/// The id of a map in a `program` or `loaded` line.
pub(crate) fn map_id(line: &Json, name: &str) -> i64 {
    number(line["maps"].as_array().unwrap().iter().find(|map| map["name"] == name).unwrap(), "id")
}

/// One request through a filter.
#[track_caller]
pub(crate) fn request(args: &[&str]) -> Ran {
    let server = HttpServer::start();
    let target = server.target();
    let args = ["load"].iter().chain(args).copied().chain(["--connect", &target, "--json"]);
    run_with_input(args, HttpServer::REQUEST).expect(0)
}

/// The value of a variable in a `map` line.
pub(crate) fn variable(ran: &Ran, section: &str, name: &str) -> i64 {
    number(&ran.map(section)["entries"][0]["value"], name)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_check_pins_stays_and_is_what_it_said() {
    let fs = Bpffs::mount();
    let program = run(["check", &object("count"), "--pin", &fs.path("x"), "--json"]).expect(0).only("program");
    assert_eq!(fs.listing(), COUNT_PINS);
    assert_eq!(pinned_id("prog", &fs.path("x/count")), number(&program, "id"));
    assert_eq!(program["pinned"], serde_json::json!([fs.path("x/count")]));
    for (name, pin) in [(".bss", "x/maps/_bss"), (".data", "x/maps/_data"), ("ports", "x/maps/ports")] {
        assert_eq!(pinned_id("map", &fs.path(pin)), map_id(&program, name));
    }
    let shown = run(["check", &object("pass"), "--pin", &fs.path("x")]).expect(0).text();
    assert!(shown.ends_with(&format!("\tpinned {}\n", fs.path("x/pass"))), "{shown}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_load_pins_stays_with_what_was_counted() {
    let fs = Bpffs::mount();
    let ran = request(&[&object("count"), "--pin", &fs.path("x")]);
    assert_eq!(fs.listing(), COUNT_PINS);
    let loaded = ran.only("loaded");
    assert_eq!(pinned_id("prog", &fs.path("x/count")), number(&loaded, "id"));
    let dump = bpftool(&["map", "dump", "pinned", &fs.path("x/maps/_bss")]);
    let total = variable(&ran, ".bss", "total_packets");
    assert!(total > 0 && dump.to_string().contains(&format!("\"total_packets\":{total}")), "{total} in {dump}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_command_that_is_said_before_the_first_pin_removes_what_is_pinned_and_nothing_else() {
    let fs = Bpffs::mount();
    std::fs::create_dir(fs.path("there")).unwrap();
    let check = |name: &str, dir: &str| {
        let lines = run(["check", &object(name), "--pin", &fs.path(dir), "--json", "--trace"]).expect(0).lines();
        let at = |kind: &str, call: &str| {
            lines.iter().position(|line| line["kind"] == kind && (call.is_empty() || line["call"] == call))
        };
        assert!(at("undo", "").unwrap() < at("syscall", "BPF_OBJ_PIN").unwrap(), "{name}: {lines:?}");
        lines.iter().find(|line| line["kind"] == "undo").map(|line| text(line, "command").to_owned()).unwrap()
    };
    let undos = [check("pass", "there"), check("count", "there"), check("count", "new")];
    assert_eq!(fs.listing().len(), "there pass count maps _bss _data ports".split(' ').count() + COUNT_PINS.len());
    for undo in &undos {
        output_of(Command::new("sh").args(["-c", undo]));
    }
    assert_eq!(fs.listing(), ["there"], "{undos:?}");
    let narrated = run(["check", &object("pass"), "--pin", &fs.path("x")]).expect(0).stderr;
    assert!(narrated.contains(&format!("to remove the pins: rm -r {}\n", fs.path("x"))), "{narrated}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn after_ctrl_c_the_pins_stay_too() {
    let fs = Bpffs::mount();
    let server = reading();
    let running =
        Running::start(["load", &object("pass"), "--connect", &server.target(), "--pin", &fs.path("x"), "--json"]);
    let loaded = running.line("loaded");
    assert_eq!(fs.listing(), ["x", "x/pass"], "they are there while it runs");
    running.interrupt();
    running.end().expect(0);
    assert_eq!(pinned_id("prog", &fs.path("x/pass")), number(&loaded, "id"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_second_run_is_refused_before_any_call_and_leaves_everything_as_it_was() {
    let fs = Bpffs::mount();
    let args = ["check", &object("count"), "--pin", &fs.path("x"), "--json", "--trace"];
    let first = run(args).expect(0).only("program");
    let second = run(args).expect(1);
    assert!(text(&second.only("error"), "message").ends_with(&format!("{} exists", fs.path("x/maps/_data"))));
    assert_eq!(second.kind("syscall"), Vec::<Json>::new());
    assert_eq!(fs.listing(), COUNT_PINS);
    assert_eq!(pinned_id("prog", &fs.path("x/count")), number(&first, "id"));
    assert_eq!(pinned_id("map", &fs.path("x/maps/ports")), map_id(&first, "ports"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_command_that_fails_leaves_neither_pins_nor_directories() {
    let fs = Bpffs::mount();
    let refused = compile(
        "__u64 seen;
         SEC(\"socket\") int good(struct __sk_buff *skb) { seen++; return skb->len; }
         SEC(\"socket\") int bad(struct __sk_buff *skb) { return *(__u32 *)((char *)skb + 76); }",
    );
    let unlinkable = compile(
        "extern int nowhere(void);
         SEC(\"socket\") int good(struct __sk_buff *skb) { return skb->len; }
         SEC(\"socket\") int bad(struct __sk_buff *skb) { return nowhere(); }",
    );
    for (made, code) in [(&refused, 5), (&unlinkable, 3)] {
        let ran = run(["check", &made.path(), "--pin", &fs.path("x"), "--json", "--trace"]).expect(code);
        let good = ran.kind("program").into_iter().find(|program| program["name"] == "good").unwrap();
        assert_eq!((text(&good, "verdict"), &good["pinned"]), ("loaded", &Json::Null), "it is not said to be pinned");
        assert!(!ran.kind("syscall").iter().any(|call| call["call"] == "BPF_OBJ_PIN"), "{}", ran.text());
    }
    assert_eq!(fs.listing(), [""; 0]);
    // The first object is fine, and was pinned.
    run(["check", &object("pass"), &refused.path(), "--pin", &fs.path("x")]).expect(5);
    run(["check", &object("count"), &object("count"), "--pin", &fs.path("x")]).expect(1);
    assert_eq!(fs.listing(), [""; 0]);
    let nobody = closed_port().to_string();
    let ran = run(["load", &object("count"), "--pin", &fs.path("x"), "--connect", &nobody, "--json", "--trace"]);
    let pins = ran.expect(6).kind("syscall").iter().filter(|call| call["call"] == "BPF_OBJ_PIN").count();
    assert_eq!((pins, fs.listing()), (4, Vec::<String>::new()), "pinned, and taken away again");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_command_that_fails_leaves_what_was_there_before_it() {
    let fs = Bpffs::mount();
    run(["check", &object("pass"), "--pin", &fs.path("x")]).expect(0);
    let nobody = closed_port().to_string();
    run(["load", &object("count"), "--pin", &fs.path("x"), "--connect", &nobody]).expect(6);
    assert_eq!(fs.listing(), ["x", "x/pass"]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_dry_run_shows_the_pins_and_makes_none() {
    let fs = Bpffs::mount();
    let steps = run(["check", &object("pass"), "--pin", &fs.path("x"), "--dry-run", "--json"]).expect(0).kind("step");
    let calls: Vec<_> = steps.iter().map(|step| text(step, "call")).collect();
    assert_eq!(calls, ["BPF_BTF_LOAD", "BPF_PROG_LOAD", "mkdir", "BPF_OBJ_PIN"]);
    assert_eq!(text(&steps[3]["attr"], "pathname"), fs.path("x/pass"));
    assert_eq!(fs.listing(), [""; 0]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn names_that_a_bpffs_does_not_take_are_refused_before_anything_is_done() {
    let fs = Bpffs::mount();
    let ran = run(["check", &object("pass"), "--pin", &fs.path("x.y")]).expect(2);
    assert!(ran.stderr.contains("a bpffs takes no names with a dot"), "{}", ran.stderr);
    let made = compile("__u64 seen; SEC(\"socket\") int maps(struct __sk_buff *skb) { seen++; return skb->len; }");
    let ran = run(["check", &made.path(), "--pin", &fs.path("x")]).expect(3);
    assert!(ran.stderr.contains("x/maps is meant for the directory of the maps"), "{}", ran.stderr);
    assert_eq!(fs.listing(), [""; 0]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn in_a_program_of_ones_own_pins_stay_if_the_whole_plan_was_performed_or_they_are_kept() {
    let fs = Bpffs::mount();
    let dir = fs.path("x");
    let bytes = std::fs::read(object("count")).unwrap();
    let elf = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&elf);
    let options = Options { pins: PinOptions { dir: Some((&dir).into()), reuse: Vec::new() }, ..Options::default() };
    let target = Target::running(&spec).with_pins(dir.as_ref()).unwrap();
    let plan = Plan::new(&spec, &options, &target).unwrap();

    let mut kernel = Kernel::default();
    for step in &plan.steps {
        assert_eq!(kernel.apply(step).error, None);
    }
    assert_eq!(fs.listing(), COUNT_PINS);
    drop(kernel);
    assert_eq!(fs.listing(), [""; 0]);

    let id = i64::from(Kernel::load(&plan).unwrap().program_named("count").unwrap().info().unwrap().id);
    assert_eq!(pinned_id("prog", &fs.path("x/count")), id);
    let error = Kernel::load(&plan).unwrap_err();
    assert_eq!(error.source.errno, nix::errno::Errno::EEXIST, "the plan was made when nothing was there");
    assert_eq!(fs.listing(), COUNT_PINS, "and what was there stays");
    assert!(try_bpftool(&["prog", "show", "id", &id.to_string()]).is_some());
}
