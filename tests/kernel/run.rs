//! `minibpf run`: packets through a filter, without a socket and through real ones.

use std::path::Path;
use std::process::Command;

use minibpf::packet::make::make;

use crate::support::bpffs::Bpffs;
use crate::support::bpftool::bpftool;
use crate::support::everybody::{Everybody, NOBODY};
use crate::support::objects::{COMMITTED, bpf_src, compile, keeping, object};
use crate::support::process::{MINIBPF, Ran, Running, output_of, run};
use crate::support::{Json, number, text};

/// Runs minibpf's `run` of an object.
#[track_caller]
pub(super) fn try_on(object: &str, args: &[&str]) -> Ran {
    run(["run", object].iter().chain(args))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn every_filter_of_bpf_src_does_what_its_assertions_say() {
    let root = bpf_src().join("..");
    let script = std::fs::read_to_string(root.join("tests/run/filters.sh")).unwrap();
    let sources = std::fs::read_dir(bpf_src()).unwrap().map(|entry| entry.unwrap().path());
    for source in sources.filter(|path| path.to_str().unwrap().ends_with(".bpf.c")) {
        let object = source.file_name().unwrap().to_str().unwrap().replace(".bpf.c", ".bpf.o");
        let about = |line: &&str| line.starts_with(&format!("minibpf run bpf-src/{object} "));
        assert!(script.lines().any(|line| about(&line)), "{object} has no assertions");
    }
    // Each command must say what it expects, and be able to fail.
    let whole = script.replace("\\\n", " ");
    let commands: Vec<&str> = whole.lines().filter(|line| line.starts_with("minibpf run")).collect();
    assert!(commands.iter().all(|command| command.contains("--expect")), "{commands:?}");

    let bin = Path::new(MINIBPF).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    output_of(Command::new("bash").args(["-e", "tests/run/filters.sh"]).current_dir(&root).env("PATH", path));
}

/// The packets that minibpf and bpftool are compared on.
pub(super) fn packets() -> Vec<Vec<u8>> {
    let named = [
        "icmp",
        "icmp6",
        "tcp:80",
        "tcp:80:GET / HTTP/1.1\\r\\n\\r\\n",
        "tcp6:80:HTTP/1.1 200",
        "udp:53:x",
        "udp6:53:abc",
    ];
    let mut packets: Vec<_> = named.iter().map(|name| make(name).unwrap()).collect();
    packets.push([&[0; 12][..], &[0x88, 0xb5]].concat());
    packets.push([&[0; 12][..], &[0x08, 0x06], &[1; 28]].concat());
    packets.push(make(&format!("udp:9:{}", "x".repeat(3600))).unwrap());
    packets
}

/// What bpftool's test run of a pinned program returns.
fn bpftool_returns(fs: &Bpffs, frame: &[u8]) -> i64 {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packet");
    std::fs::write(&file, frame).unwrap();
    let pinned = fs.path("program");
    number(&bpftool(&["prog", "run", "pinned", &pinned, "data_in", file.to_str().unwrap(), "repeat", "1"]), "retval")
}

#[test]
#[ignore = "needs CAP_BPF"]
fn return_values_are_those_of_bpftools_test_run_for_every_filter_and_packet() {
    let trims = keeping("trims", "skb->len / 2");
    let reads = compile(
        "SEC(\"socket\") int reads(struct __sk_buff *skb)
         { __u8 byte = 0; bpf_skb_load_bytes(skb, 9, &byte, 1); return byte ? -byte : 0; }",
    );
    let objects = COMMITTED.map(object).into_iter().chain([trims.path(), reads.path()]);
    for object in objects {
        let fs = Bpffs::mount();
        output_of(Command::new("bpftool").args(["prog", "load", &object, &fs.path("program"), "type", "socket"]));
        for frame in packets() {
            let packet = try_on(&object, &["--json", "--data", &hex(&frame)]).expect(0).only("packet");
            assert_eq!(number(&packet, "ret"), bpftool_returns(&fs, &frame), "{object}: {packet}");
            assert_eq!(number(&packet, "len"), frame.len() as i64 - 14);
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_line_a_packet_says_what_became_of_it_and_a_summary_of_all() {
    let trims = keeping("trims", "skb->len > 30 ? 20 : skb->len > 28 ? 0 : -1");
    let ran = try_on(&trims.path(), &["--json", "icmp", "tcp:80", "udp:53:x"]).expect(0);
    let packets = ran.kind("packet");
    let told: Vec<_> = packets
        .iter()
        .map(|line| {
            (number(line, "n"), number(line, "len"), number(line, "ret"), text(line, "verdict"), number(line, "kept"))
        })
        .collect();
    let expected = [(0, 28, 4_294_967_295, "keep", 28), (1, 40, 20, "trim", 20), (2, 29, 0, "drop", 0)];
    assert_eq!(told, expected);
    let summary = ran.summary();
    let count = |field: &str| number(&summary, field);
    assert_eq!((count("packets"), count("kept"), count("trimmed"), count("dropped")), (3, 1, 1, 1));
    assert_eq!(summary["mean_ns"], Json::Null, "one run says nothing of time");

    let ran = try_on(&trims.path(), &["--json", "icmp", "--repeat", "1000"]).expect(0);
    assert!(number(&ran.summary(), "mean_ns") > 0);
    let ran = try_on(&object("count"), &["icmp", "--repeat", "1000", "--expect-map", "total_packets=1000"]);
    ran.expect(0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_differs_from_what_is_expected_is_exit_status_1_and_said() {
    for (args, expected) in [
        (&["icmp", "--expect", "drop"][..], "packet 0: expected drop, found keep: the filter returned 28 for 28 bytes"),
        (&["icmp", "icmp", "--expect", "1:27"], "packet 1: expected a return value of 27, found keep"),
        (&["icmp", "--expect", "1:keep"], "there were only 1 packets"),
        (&["icmp", "--expect-map", "total_packets=2"], "expected total_packets=2, found 1"),
        (&["icmp", "--expect-map", "ports[0x4500]=absent"], "found {packets=1 bytes=28}"),
        (&["icmp", "--expect-map", "ports[0x4500]={packets=1 bytes=29}"], "found {packets=1 bytes=28}"),
        (&["icmp", "--expect-map", "ports[0x4500].bytes=29"], "found 28"),
        (&["icmp", "--expect-map", "ports[1].bytes=29"], "no such key"),
    ] {
        let ran = try_on(&object("count"), args).expect(1);
        assert!(ran.stderr.contains(expected), "{args:?}: {}", ran.stderr);
        let ran = try_on(&object("count"), &[args, &["--json"]].concat()).expect(1);
        let error = ran.only("error");
        assert!(text(&error, "message").contains(expected) && number(&error, "code") == 1, "{args:?}: {error}");
        assert_eq!(ran.kind("summary").len(), 1, "every packet had its turn");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_expectation_that_cannot_be_meant_is_a_usage_error() {
    for (expected, why) in [
        ("nothing=1", "there are: smallest_packet, total_packets, total_bytes, ports"),
        ("ports=1", "which key?"),
        ("ports[65536].bytes=1", "out of range"),
        ("ports[1].bits=1", "no member `bits`"),
        ("ports[1]=1", "expected a struct"),
        ("total_packets=many", "expected a number"),
        ("smallest_packet=4294967296", "out of range"),
        ("total_packets", "expected NAME[KEY]=VALUE"),
        ("total_packets.x=1", "not a struct"),
        ("total_packets[1]=1", "not an array"),
    ] {
        let ran = try_on(&object("count"), &["icmp", "--expect-map", expected]).expect(2);
        assert!(ran.stderr.contains(why), "{expected}: {}", ran.stderr);
        assert_eq!(ran.text(), "", "no packet had its turn");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn maps_of_many_kinds_can_be_expected() {
    let made = compile(
        "enum color { RED = 3, BLUE = 7 };
         struct point { __u32 x; __u32 y; };
         struct value { enum color color; char name[8]; __u16 many[3]; union { struct point at; __u64 both; }; bool yes; };
         struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, struct point); __type(value, struct value); } points SEC(\".maps\");
         struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } slots SEC(\".maps\");
         struct { __uint(type, 6); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } each_cpu SEC(\".maps\");
         int below = -5; enum color last; bool seen; char text[8] = \"none\";
         SEC(\"socket\") int all(struct __sk_buff *skb)
         {
             struct point key = { 1, 2 };
             struct value value = { .color = BLUE, .name = \"a b\", .many = { 4, 5, 6 }, .at = { 8, 9 }, .yes = 1 };
             __u32 zero = 0, two = 2; __u64 number = 1ULL << 40, *cpu;
             bpf_map_update_elem(&points, &key, &value, 0);
             bpf_map_update_elem(&slots, &two, &number, 0);
             cpu = bpf_map_lookup_elem(&each_cpu, &zero);
             if (cpu)
                 *cpu += skb->len;
             below -= 1; last = RED; seen = 1; text[0] = 'd';
             return skb->len;
         }",
    );
    let good = [
        "points[{x=1 y=2}].color=BLUE",
        "points[{x=1 y=2}].name=a b",
        "points[{y=2 x=1}].name=\"a b\"",
        "points[{x=1 y=2}].many=[4 5 6]",
        "points[{x=1 y=2}].many[1]=5",
        "points[{x=1 y=2}].at.y=9",
        "points[{x=1 y=2}].at={x=8 y=9}",
        "points[{x=1 y=2}].both=0x900000008",
        "points[{x=2 y=2}]=absent",
        "slots[2]=0x10000000000",
        "slots[0]=0",
        "each_cpu[0]=56",
        "below=-7",
        "last=RED",
        "seen=true",
        "text=done",
    ];
    let args: Vec<&str> = good.iter().flat_map(|one| ["--expect-map", one]).collect();
    try_on(&made.path(), &[&["icmp", "icmp"][..], &args].concat()).expect(0);
    for (wrong, code) in [
        ("points[{x=1 y=2}].color=RED", 1),
        ("points[{x=1 y=2}].many=[4 5 7]", 1),
        ("each_cpu[0]=55", 1),
        ("below=-5", 1),
        ("text=none", 1),
        ("slots[4]=0", 2),
        ("points[{x=1 z=2}].color=RED", 2),
        ("points[{x=1 y=2}].color=GREEN", 2),
        ("points[{x=1 y=2}].many[3]=1", 2),
    ] {
        try_on(&made.path(), &["icmp", "icmp", "--expect-map", wrong]).expect(code);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_a_test_run_cannot_take_is_explained_and_skipped_if_that_is_asked_for() {
    let long = format!("udp:9:{}", "x".repeat(3700));
    for (args, why) in [
        (&["--data", "00 11"][..], "2 bytes, but a test run needs an Ethernet header of 14 at least"),
        (&["--data", ""], "0 bytes, but"),
        (&[&long], "3742 bytes, but a test run takes at most 3712"),
    ] {
        let ran = try_on(&object("pass"), args).expect(1);
        assert!(ran.stderr.contains(why), "{args:?}: {}", ran.stderr);
        let ran = try_on(
            &object("count"),
            &[args, &["icmp", "--keep-going", "--json", "--expect-map", "total_packets=1"]].concat(),
        );
        let ran = ran.expect(1);
        assert!(text(&ran.only("skipped"), "reason").contains(why), "{}", ran.text());
        assert_eq!(number(&ran.summary(), "skipped"), 1);
        assert!(text(&ran.only("error"), "message").starts_with("1 of 2 packets could not be used"), "{}", ran.text());
    }
    for (ethertype, least) in [("0800", 34), ("86dd", 54)] {
        let short = format!("{}{ethertype}{}", "00".repeat(12), "45".repeat(least - 15));
        let ran = try_on(&object("pass"), &["--data", &short]).expect(1);
        assert!(ran.stderr.contains(&format!("{least} bytes at least")), "{}", ran.stderr);
        try_on(&object("pass"), &["--data", &(short + "00"), "--expect", &(least - 14).to_string()]).expect(0);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_file_of_bytes_is_a_packet() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), make("icmp").unwrap()).unwrap();
    try_on(&object("pass"), &["--data", &format!("@{}", file.path().display()), "--expect", "28"]).expect(0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn run_leaves_nothing_behind_and_takes_no_pins() {
    let ran = try_on(&object("pass"), &["icmp", "--pin", "/sys/fs/bpf/x"]).expect(2);
    assert!(ran.stderr.contains("does not pin"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_trace_shows_the_test_run_as_strace_does() {
    let ran = try_on(&object("pass"), &["icmp", "--trace"]).expect(0);
    assert!(ran.stderr.contains("bpf(BPF_PROG_TEST_RUN, {prog_fd="), "{}", ran.stderr);
    let ran = try_on(&object("pass"), &["icmp", "--trace", "--json"]).expect(0);
    let call = ran.kind("syscall").into_iter().find(|call| call["call"] == "BPF_PROG_TEST_RUN").unwrap();
    assert_eq!((number(&call["attr"], "retval"), number(&call["attr"], "data_size_in")), (28, 42));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_that_takes_byte_0_for_an_ethernet_header_is_warned_of() {
    let ethernet = compile(
        "SEC(\"socket\") int ethernet(struct __sk_buff *skb)
         { __u16 type = 0; bpf_skb_load_bytes(skb, 12, &type, 2); return type == htons(0x0800) ? skb->len : 0; }",
    );
    let ran = try_on(&ethernet.path(), &["tcp:80:x"]).expect(0);
    assert!(ran.stderr.contains("byte 0 is the network header"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn with_v_each_packet_is_followed_by_its_events_and_by_what_it_changed() {
    let filter = compile(
        "struct seen { __u32 number; __u32 len; };
         struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(\".maps\");
         struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } lens SEC(\".maps\");
         struct seen *layout; __u32 number;
         static long (*const delete)(void *map, const void *key) = (void *)3;
         SEC(\"socket\") int told(struct __sk_buff *skb)
         {
             struct seen seen = { number++, skb->len }; __u64 one = 1; __u32 len = skb->len;
             if (bpf_map_lookup_elem(&lens, &len))
                 delete(&lens, &len);
             else
                 bpf_map_update_elem(&lens, &len, &one, 0);
             return bpf_ringbuf_output(&events, &seen, sizeof(seen), 0) ? 0 : skb->len;
         }",
    );
    let ran = try_on(&filter.path(), &["icmp", "icmp", "-v", "--json"]).expect(0);
    let lines = ran.lines();
    let about = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).cloned().collect::<Vec<_>>();
    let events = about("event");
    assert_eq!(events.len(), 2);
    for (number, event) in (0..).zip(&events) {
        assert_eq!((event["packet"].as_i64(), text(event, "type")), (Some(number), "seen"));
        assert_eq!((number_of(event, "number"), number_of(event, "len")), (number, 28));
    }
    let changes: Vec<_> = about("change")
        .iter()
        .map(|line| {
            (number(line, "packet"), line["key"].to_string(), text(line, "change").to_owned(), line["after"].clone())
        })
        .collect();
    let expected = [
        (0, "28", "added", Json::from(1)),
        (0, "\"number\"", "changed", Json::from(1)),
        (1, "28", "removed", Json::Null),
        (1, "\"number\"", "changed", Json::from(2)),
    ];
    let expected = expected.map(|(packet, key, change, after)| (packet, key.to_owned(), change.to_owned(), after));
    for one in &expected {
        assert!(changes.contains(one), "{one:?} is not in {changes:?}");
    }
    assert_eq!(changes.len(), expected.len());
    assert_eq!(number(&ran.summary(), "events"), 2);

    // The ring holds some 170 of them: it is emptied while packets go through, else the filter would drop.
    let many = vec!["icmp"; 1000];
    let ran = try_on(&filter.path(), &[&many[..], &["--expect", "keep", "--json"]].concat()).expect(0);
    assert_eq!(number(&ran.summary(), "events"), 1000);
    assert_eq!(ran.kind("event").len(), 0, "without -v they are counted, not shown");
    // With events, --count counts them.
    let ran = try_on(
        &object("http"),
        &["--as", "tcp", "tcp:80:no", "tcp:80:GET /one", "tcp:80:GET /two", "--count", "1", "--json"],
    );
    let summary = ran.expect(0).summary();
    assert_eq!(
        (number(&summary, "packets"), number(&summary, "events"), text(&summary, "ended")),
        (2, 1, "count reached")
    );
}

fn number_of(event: &Json, field: &str) -> i64 {
    number(&event["value"], field)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn ctrl_c_ends_a_run_that_repeats_for_long() {
    let mut running =
        Running::start(["run", &object("pass"), "icmp", "icmp", "--repeat", "4294967295", "--json", "--trace"]);
    running.end_input();
    running.line("syscall");
    std::thread::sleep(std::time::Duration::from_millis(300));
    running.interrupt();
    let summary = running.end().expect(0).summary();
    assert_eq!((number(&summary, "packets"), text(&summary, "ended")), (0, "interrupted"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_privileges_what_is_missing_is_named() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    for (how, missing) in [("test-run", "CAP_BPF"), ("udp", "CAP_SYS_ADMIN")] {
        let args = ["run", &pass, "udp:53:x", "--as", how];
        let ran = everybody.run(NOBODY, &args).expect(4);
        assert!(ran.stderr.contains(missing), "{how}: {}", ran.stderr);
    }
}
