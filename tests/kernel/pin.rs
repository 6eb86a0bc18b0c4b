//! `--pin` and `--map`: what stays, what is shared, and what a command that fails leaves: nothing.

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::{Options, PinOptions};
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;

use crate::support::bpffs::Bpffs;
use crate::support::bpftool::{bpftool, try_bpftool};
use crate::support::objects::{Made, compile, object};
use crate::support::process::{Ran, Running, output_of, run, run_with_input};
use crate::support::server::{HttpServer, closed_port, reading};
use crate::support::{Json, number, text};

const COUNT_PINS: [&str; 6] = ["x", "x/count", "x/maps", "x/maps/_bss", "x/maps/_data", "x/maps/ports"];

/// The id of what is pinned there, as bpftool sees it.
#[track_caller]
fn pinned_id(what: &str, path: &str) -> i64 {
    number(&bpftool(&[what, "show", "pinned", path]), "id")
}

/// The id of a map in a `program` or `loaded` line.
fn map_id(line: &Json, name: &str) -> i64 {
    number(line["maps"].as_array().unwrap().iter().find(|map| map["name"] == name).unwrap(), "id")
}

/// One request through a filter.
#[track_caller]
fn request(args: &[&str]) -> Ran {
    let server = HttpServer::start();
    let target = server.target();
    let args = ["load"].iter().chain(args).copied().chain(["--connect", &target, "--json"]);
    run_with_input(args, HttpServer::REQUEST).expect(0)
}

/// The value of a variable in a `map` line.
fn variable(ran: &Ran, section: &str, name: &str) -> i64 {
    number(&ran.map(section)["entries"][0]["value"], name)
}

/// A filter that counts its runs in a per-CPU array that asks to be pinned by its name.
fn sharing(program: &str, entries: u32) -> Made {
    compile(&format!(
        "#define BPF_MAP_TYPE_PERCPU_ARRAY 6
         struct {{
             __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, {entries}); __uint(pinning, 1);
             __type(key, __u32); __type(value, __u64);
         }} runs SEC(\".maps\");
         SEC(\"socket\") int {program}(struct __sk_buff *skb)
         {{
             __u32 key = 0;
             __u64 *value = bpf_map_lookup_elem(&runs, &key);
             if (value)
                 *value += 1;
             return skb->len;
         }}"
    ))
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
    run(["check", &refused.path(), "--pin", &fs.path("x")]).expect(5);
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
fn a_reused_map_goes_on_counting_where_it_was() {
    let fs = Bpffs::mount();
    let first = request(&[&object("count"), "--pin", &fs.path("x")]);
    let bss = format!(".bss={}", fs.path("x/maps/_bss"));
    let data = format!(".data={}", fs.path("x/maps/_data"));
    let second = request(&[&object("count"), "--map", &bss, "--map", &data]);
    let runs = |ran: &Ran| number(&ran.summary(), "run_cnt");
    let total = |ran: &Ran| variable(ran, ".bss", "total_packets");
    assert_eq!(total(&first), runs(&first));
    assert_eq!(total(&second), runs(&first) + runs(&second));
    let smallest = |ran: &Ran| variable(ran, ".data", "smallest_packet");
    assert_eq!(smallest(&first), smallest(&second), "the initial value is not written again");
    let loaded = second.only("loaded");
    assert_eq!(map_id(&loaded, ".bss"), pinned_id("map", &fs.path("x/maps/_bss")));
    assert_ne!(map_id(&loaded, "ports"), map_id(&first.only("loaded"), "ports"), "nobody asked for that one");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_map_that_differs_is_3_and_every_difference_is_named() {
    let fs = Bpffs::mount();
    run(["check", &object("count"), "--pin", &fs.path("x")]).expect(0);
    let ran =
        run(["check", &object("count"), "--map", &format!("ports={}", fs.path("x/maps/_bss")), "--json"]).expect(3);
    let expected = "type is array, the object has hash; key_size is 4, the object has 2; \
                    max_entries is 1, the object has 1024; map_flags is BPF_F_MMAPABLE, the object has 0";
    let error = ran.only("error");
    assert!(text(&error, "message").ends_with(expected), "{error}");
    assert!(ran.kind("program").is_empty(), "it is not the program that is at fault");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_is_no_pinned_map_is_3() {
    let fs = Bpffs::mount();
    run(["check", &object("count"), "--pin", &fs.path("x")]).expect(0);
    for (path, says) in [
        (fs.path("x/nothing"), "ENOENT"),
        (fs.path("x/count"), "bpf-prog"),
        (fs.path("x"), "EACCES"),
        (object("count"), "EACCES"),
    ] {
        let ran = run(["check", &object("count"), "--map", &format!("ports={path}"), "--json"]).expect(3);
        let error = ran.only("error");
        assert!(text(&error, "message").contains(says), "{error}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_map_that_asks_to_be_pinned_by_its_name_is_shared_by_all_who_do() {
    let fs = Bpffs::mount();
    let (first, second) = (sharing("first", 1), sharing("second", 1));
    let first = request(&[&first.path(), "--pin", &fs.path("x")]);
    let second = request(&[&second.path(), "--pin", &fs.path("x")]);
    assert_eq!(fs.listing(), ["x", "x/first", "x/maps", "x/maps/runs", "x/second"]);
    let id = pinned_id("map", &fs.path("x/maps/runs"));
    assert_eq!([map_id(&first.only("loaded"), "runs"), map_id(&second.only("loaded"), "runs")], [id, id]);
    let runs = |ran: &Ran| number(&ran.summary(), "run_cnt");
    let counted: i64 =
        second.map("runs")["entries"][0]["value"].as_array().unwrap().iter().map(|cpu| cpu.as_i64().unwrap()).sum();
    assert_eq!(counted, runs(&first) + runs(&second));

    let other = sharing("third", 2);
    let ran = run(["check", &other.path(), "--pin", &fs.path("x"), "--json"]).expect(3);
    assert!(text(&ran.only("error"), "message").ends_with("max_entries is 1, the object has 2"));
    let alone = run(["check", &other.path(), "--json"]).expect(0).only("program");
    assert_ne!(map_id(&alone, "runs"), id, "without --pin it is not shared");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn maps_that_libbpf_has_pinned_are_reused_and_the_other_way_round() {
    let fs = Bpffs::mount();
    let count = object("count");
    let mut bpftool_load = std::process::Command::new("bpftool");
    output_of(bpftool_load.args(["prog", "loadall", &count, &fs.path("theirs"), "pinmaps", &fs.path("maps")]));
    let (ports, bss) = (format!("ports={}", fs.path("maps/ports")), format!(".bss={}", fs.path("maps/count_bss")));
    let ours = run(["check", &count, "--map", &ports, "--map", &bss, "--pin", &fs.path("ours"), "--json"]).expect(0);
    let ours = ours.only("program");
    assert_eq!(map_id(&ours, "ports"), pinned_id("map", &fs.path("maps/ports")));
    assert_eq!(map_id(&ours, ".bss"), pinned_id("map", &fs.path("maps/count_bss")));

    let mut bpftool_load = std::process::Command::new("bpftool");
    bpftool_load.args(["prog", "load", &object("http"), &fs.path("http")]);
    run(["check", &object("http"), "--pin", &fs.path("ours"), "--json"]).expect(0);
    output_of(bpftool_load.args(["map", "name", "events", "pinned", &fs.path("ours/maps/events")]));
    let theirs = bpftool(&["prog", "show", "pinned", &fs.path("http")]);
    assert_eq!(theirs["map_ids"], serde_json::json!([pinned_id("map", &fs.path("ours/maps/events"))]));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn in_a_program_of_ones_own_pins_stay_if_the_whole_plan_was_performed_or_they_are_kept() {
    let fs = Bpffs::mount();
    let dir = fs.path("x");
    let bytes = std::fs::read(object("count")).unwrap();
    let elf = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&elf).unwrap();
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
