//! `minibpf run`: packets through a filter, without a socket and through real ones.

use std::process::Command;

use minibpf::packet::make::make;

use crate::support::bpffs::Bpffs;
use crate::support::bpftool::bpftool;
use crate::support::everybody::{Everybody, NOBODY};
use crate::support::objects::{COMMITTED, compile, keeping, object};
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

#[test]
#[ignore = "needs CAP_BPF"]
fn strace_sees_one_test_run_a_packet_and_a_namespace_for_real_sockets_alone() {
    let calls = |how: &str| {
        let args = [
            "-f",
            "-e",
            "trace=bpf,unshare,setns",
            MINIBPF,
            "run",
            &object("pass"),
            "--as",
            how,
            "udp:53:x",
            "udp:53:yz",
        ];
        let output = Command::new("strace").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let trace = String::from_utf8(output.stderr).unwrap();
        let count = |call: &str| trace.matches(call).count();
        (count("bpf(BPF_PROG_LOAD"), count("bpf(BPF_PROG_TEST_RUN"), count("unshare(CLONE_NEWNET)"), count("setns("))
    };
    assert_eq!(calls("test-run"), (1, 2, 0, 0));
    // The program once more, for what a test run would say.
    assert_eq!(calls("udp"), (2, 2, 1, 0));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn perf_events_are_told_too_and_their_type_can_be_chosen() {
    let filter = compile(
        "struct one { __u32 len; __u32 mark; }; struct two { __u32 bytes; __u32 other; };
         struct { __uint(type, 4); __uint(max_entries, 0); __uint(key_size, 4); __uint(value_size, 4); } told SEC(\".maps\");
         struct one *first; struct two *second;
         static long (*const output)(void *ctx, void *map, __u64 flags, void *data, __u64 size) = (void *)25;
         SEC(\"socket\") int perf(struct __sk_buff *skb)
         {
             struct two two = { skb->len, 7 };
             output(skb, &told, 0xffffffff /* this CPU */, &two, sizeof(two));
             return skb->len;
         }",
    );
    let args = ["icmp", "udp:53:x", "-v", "--json", "--event-type", "told=two"];
    let ran = try_on(&filter.path(), &args).expect(0);
    let events: Vec<_> = ran
        .kind("event")
        .iter()
        .map(|event| (number(event, "packet"), number_of(event, "bytes"), number_of(event, "other")))
        .collect();
    assert_eq!(events, [(0, 28, 7), (1, 29, 7)]);
    assert_eq!((number(&ran.summary(), "events"), number(&ran.summary(), "lost")), (2, 0));
    // Without the choice nothing says which of the two structs it is.
    let ran = try_on(&filter.path(), &["icmp", "-v", "--json"]).expect(0);
    assert_eq!(ran.only("event")["type"], Json::Null);
    let ran = try_on(&filter.path(), &["icmp", "--event-type", "told=three"]).expect(2);
    assert!(ran.stderr.contains("no struct `three`"), "{}", ran.stderr);
}
