//! `minibpf run --expect` and `--expect-map`: tests of filters.

use crate::run::try_on;
use crate::support::assertions::hold;
use crate::support::objects::{bpf_src, compile, object};
use crate::support::{number, text};

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
    hold("tests/run/filters.sh");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_differs_from_what_is_expected_is_exit_status_1_and_said() {
    for (args, expected) in [
        (&["icmp", "--expect", "drop"][..], "packet 0: expected drop, found keep: the filter returned 28 for 28 bytes"),
        (&["icmp", "icmp", "--expect", "1:27"], "packet 1: expected a return value of 27, found keep"),
        (&["icmp", "--expect", "1:keep"], "there was only 1 packet"),
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
