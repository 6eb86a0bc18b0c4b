//! `--map`, and maps that ask to be pinned by their name: what is shared, and what cannot be.

use crate::pin::{map_id, pinned_id, request, variable};
use crate::support::bpffs::Bpffs;
use crate::support::bpftool::bpftool;
use crate::support::objects::{Made, compile, object};
use crate::support::process::{Ran, output_of, run};
use crate::support::{number, text};

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
fn the_verifier_knows_the_constants_of_a_reused_section() {
    let fs = Bpffs::mount();
    let xlated = |options: &[&str]| {
        let drop = object("drop");
        let args = ["check", &drop, "--json"].into_iter().chain(options.iter().copied());
        number(&run(args).expect(0).only("program"), "bytes_xlated")
    };
    let as_compiled = xlated(&[]);
    let set = xlated(&["--set", "longer_than=7", "--pin", &fs.path("x")]);
    let reused = xlated(&["--map", &format!(".rodata={}", fs.path("x/maps/_rodata"))]);
    assert!(as_compiled < set, "with the largest number of all, nothing is ever dropped");
    assert_eq!(reused, set);
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
