//! `dump` and `set`: maps that are in the kernel already. What every map type holds is compared with bpftool by scripts/compare-bpftool.

use std::process::Command;

use crate::pin::pinned_id;
use crate::support::bpffs::Bpffs;
use crate::support::bpftool::bpftool;
use crate::support::everybody::{Everybody, NOBODY};
use crate::support::objects::{Made, bpf_src, compile, object};
use crate::support::process::{Ran, Running, output_of, run};
use crate::support::{Json, number};

/// A hash, and variables of which the last two lie in a section that cannot be mapped.
const SOURCE: &str = r#"
    struct traffic { __u64 packets, bytes; };
    struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, __u16); __type(value, struct traffic); } ports SEC(".maps");
    struct { __uint(type, 5); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } each SEC(".maps");
    __u32 limit = 5;
    char title[8] = "\x1b[31m";
    volatile const __u32 constant = 7;
    static volatile __u64 hidden;
    static volatile __u64 other;
    SEC("socket") int filter(struct __sk_buff *skb)
    {
        __u16 key = skb->len;
        __u32 zero = 0;
        hidden += constant;
        other += limit + title[0];
        return bpf_map_lookup_elem(&ports, &key) || bpf_map_lookup_elem(&each, &zero) ? 0 : skb->len;
    }"#;

/// Loaded and pinned; gone with the mount.
pub(crate) struct Pinned {
    pub(crate) fs: Bpffs,
    _object: Made,
}

impl Pinned {
    #[track_caller]
    pub(crate) fn new() -> Self {
        let (fs, object) = (Bpffs::mount(), compile(SOURCE));
        run(["check", &object.path(), "--pin", &fs.path("x")]).expect(0);
        Self { fs, _object: object }
    }

    pub(crate) fn map(&self, name: &str) -> String {
        self.fs.path(&format!("x/maps/{name}"))
    }

    /// Writes an element by bpftool, the referee: numbers of 2, 8 and 8 bytes.
    #[track_caller]
    pub(crate) fn put(&self, port: u16, packets: u64, bytes: u64) {
        let value = [packets.to_le_bytes(), bytes.to_le_bytes()].concat();
        self.bpftool(
            "update",
            port,
            &[&["value"], words(&value).iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat(),
        );
    }

    #[track_caller]
    pub(crate) fn bpftool(&self, what: &str, port: u16, value: &[&str]) {
        let mut command = Command::new("bpftool");
        command.args(["map", what, "pinned", &self.map("ports"), "key"]).args(words(&port.to_le_bytes())).args(value);
        output_of(&mut command);
    }
}

/// Bytes as bpftool takes them.
fn words(bytes: &[u8]) -> Vec<String> {
    bytes.iter().map(ToString::to_string).collect()
}

/// The keys of the `entry` lines, in order.
fn keys(ran: &Ran) -> Vec<i64> {
    ran.kind("entry").iter().map(|entry| number(&entry["formatted"], "key")).collect()
}

/// The object with a map of every type.
fn every_type() -> Made {
    let source = std::fs::read_to_string(bpf_src().join("../tests/maps/every_type.c")).unwrap();
    // `compile` has its own licence.
    compile(source.split("char _license").next().unwrap())
}

/// Runs `dump` with `--json`.
#[track_caller]
pub(crate) fn dump(args: &[&str]) -> Ran {
    run(["dump", "--json"].iter().chain(args)).expect(0)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_map_is_named_by_its_pin_its_number_its_name_or_the_process_that_holds_it() {
    let pinned = Pinned::new();
    pinned.put(443, 1, 60);
    let id = pinned_id("map", &pinned.map("ports"));
    let by_pin = dump(&[&pinned.map("ports")]);
    assert_eq!(dump(&[&format!("map:{id}")]).text(), by_pin.text());
    assert_eq!(number(&by_pin.only("map"), "id"), id);
    assert_eq!(
        by_pin.only("entry")["formatted"],
        serde_json::json!({ "key": 443, "value": { "packets": 1, "bytes": 60 } })
    );

    let running = Running::start(["load", &object("count"), "--listen", "udp:127.0.0.1:0", "--json"]);
    let maps = running.line("loaded")["maps"].as_array().unwrap().clone();
    let pid = running.pid();
    let all = dump(&[&format!("pid:{pid}")]);
    let ids = |lines: &[Json]| {
        let mut ids: Vec<_> = lines.iter().map(|map| number(map, "id")).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(&all.kind("map")), ids(&maps));
    let variable = dump(&[&format!("pid:{pid}:.data"), "smallest_packet"]).only("variable");
    assert_eq!(number(&variable, "value"), 0xffff_ffff);
    let missing = run(["dump", &format!("pid:{pid}:nothing")]).expect(1);
    assert!(missing.stderr.contains("holds no map or program `nothing`; it holds"), "{}", missing.stderr);
    running.interrupt();
    running.end().expect(0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_is_not_there_or_no_map_is_said_to_be_so() {
    let pinned = Pinned::new();
    for (what, code, says) in [
        ("map:4294967295", 1, "map 4294967295: bpf(BPF_MAP_GET_FD_BY_ID): No such file or directory (ENOENT)"),
        ("map:no_such_map_at", 1, "no map of the name `no_such_map_at`"),
        (pinned.map("nothing").as_str(), 1, "No such file or directory (ENOENT)"),
        ("pid:2147483647", 1, "there is no process 2147483647"),
        ("map:", 2, "expected map:N or map:NAME"),
        ("prog:x", 2, "`x` is no program's number"),
    ] {
        let ran = run(["dump", what]).expect(code);
        assert!(ran.stderr.contains(says), "{what}: {}", ran.stderr);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn one_element_is_found_by_its_key_as_it_is_printed() {
    let pinned = Pinned::new();
    pinned.put(80, 3, 4);
    let ports = pinned.map("ports");
    assert_eq!(run(["dump", &ports, "80"]).expect(0).text(), "  80: {packets=3 bytes=4}\n");
    assert_eq!(dump(&[&ports, "hex:5000"]).only("entry")["value"], "03000000000000000400000000000000");
    assert!(run(["dump", &ports, "81"]).expect(1).stderr.contains("has no such key"));
    assert!(run(["dump", &ports, "70000"]).expect(2).stderr.contains("out of range 0 to 65535"));
    assert!(run(["dump", &ports, "hex:500"]).expect(2).stderr.contains("two digits a byte"));
    assert!(run(["dump", &ports, "hex:50"]).expect(2).stderr.contains("1 bytes, but keys have 2"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn entries_are_counted_sorted_and_cut_off() {
    let pinned = Pinned::new();
    for (port, packets, bytes) in [(1, 10, 5), (2, 30, 1), (3, 20, 9)] {
        pinned.put(port, packets, bytes);
    }
    let ports = pinned.map("ports");
    assert_eq!(run(["dump", &ports, "--count-entries"]).expect(0).text(), "3\n");
    assert_eq!(keys(&dump(&[&ports, "--sort", "key"])), [1, 2, 3]);
    assert_eq!(keys(&dump(&[&ports, "--sort", "value"])), [2, 3, 1]);
    assert_eq!(keys(&dump(&[&ports, "--sort", "value.bytes"])), [3, 1, 2]);
    let top = dump(&[&ports, "--sort", "value.bytes", "--top", "2"]);
    assert_eq!((keys(&top), number(&top.only("summary"), "entries")), (vec![3, 1], 3));
    assert_eq!(keys(&dump(&[&ports, "--top", "1"])), [2]);
}

/// Elements so large that there is room for one at a time, and several in a bucket: the kernel refuses (ENOSPC) until there is room for a
/// whole bucket.
#[test]
#[ignore = "needs CAP_BPF"]
fn elements_larger_than_the_room_for_them_are_read_all_the_same() {
    let source = "
        struct large { __u32 number; char rest[200000]; };
        struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct large); } from SEC(\".maps\");
        struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, __u32); __type(value, struct large); } to SEC(\".maps\");
        SEC(\"socket\") int fill(struct __sk_buff *skb)
        {
            __u32 zero = 0;
            struct large *value = bpf_map_lookup_elem(&from, &zero);
            for (__u32 key = 0; value && key < 64; key++) {
                value->number = key;
                bpf_map_update_elem(&to, &key, value, BPF_ANY);
            }
            return skb->len;
        }";
    let (fs, made) = (Bpffs::mount(), compile(source));
    run(["check", &made.path(), "--pin", &fs.path("x")]).expect(0);
    let packet = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(packet.path(), [&[0; 12][..], &[8, 0, 0x45], &[0; 60]].concat()).unwrap();
    bpftool(&["prog", "run", "pinned", &fs.path("x/fill"), "data_in", packet.path().to_str().unwrap()]);
    let ran = dump(&[&fs.path("x/maps/to"), "--sort", "key"]);
    let numbers: Vec<_> = ran.kind("entry").iter().map(|e| number(&e["formatted"]["value"], "number")).collect();
    assert_eq!((keys(&ran), numbers), ((0..64).collect(), (0..64).collect()));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_a_map_holds_cannot_command_a_terminal() {
    let pinned = Pinned::new();
    for json in [&[][..], &["--json"]] {
        let data = pinned.map("_data");
        let ran = run(["dump", &data].iter().chain(json)).expect(0);
        assert!(!ran.stdout.contains(&0x1b), "{}", ran.text());
        assert!(ran.text().contains("[31m"));
    }
}

/// Without `CAP_SYS_ADMIN` the kernel hands out no types.
#[test]
#[ignore = "needs CAP_BPF"]
fn a_pin_is_read_without_privileges_but_without_types() {
    let (pinned, everybody) = (Pinned::new(), Everybody::new());
    pinned.put(80, 1, 2);
    let ports = pinned.map("ports");
    let with_bpf = [NOBODY, &["--inh-caps=+bpf", "--ambient-caps=+bpf"]].concat();
    output_of(Command::new("chmod").args([
        "a+rx",
        &pinned.fs.path(""),
        &pinned.fs.path("x"),
        &pinned.fs.path("x/maps"),
    ]));
    output_of(Command::new("chmod").args(["a+r", &ports]));
    let ran = everybody.run(&with_bpf, &["dump", &ports]).expect(0);
    assert!(ran.text().contains("  80: 01000000000000000200000000000000\n"), "{}", ran.text());
    assert!(ran.stderr.contains("types are read with CAP_SYS_ADMIN alone"), "{}", ran.stderr);
    let denied = everybody.run(&with_bpf, &["dump", "map:1"]).expect(4);
    assert!(denied.stderr.contains("opened with CAP_SYS_ADMIN alone"), "{}", denied.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_cannot_be_walked_sorted_or_set_is_a_usage_error_that_says_why() {
    let pinned = Pinned::new();
    let (fs, every) = (Bpffs::mount(), every_type());
    run(["check", &every.path(), "--pin", &fs.path("x")]).expect(0);
    let map = |name: &str| fs.path(&format!("x/maps/{name}"));
    let (ports, queue, ring) = (pinned.map("ports"), map("queue"), map("ring"));
    for (args, says) in [
        (["dump", &ports, "--sort", "value.nothing"].as_slice(), "no such member; there are: packets, bytes"),
        (&["dump", &queue, "--watch", "1s"], "only the next element can be seen"),
        (&["dump", &ring, "--count-entries"], "--follow reads them"),
        (&["dump", &ring, "0"], "--follow reads them"),
        (&["set", &pinned.map("_data"), "limit=1", "limit=2"], "`limit` is set twice"),
        (&["dump", &map("percpu_hash"), "{x=1 y=-2 z=3}"], "no member `z`; there are: x, y"),
        (&["dump", &map("untyped"), "1"], "expected hex: and 3 bytes"),
    ] {
        let ran = run(args).expect(2);
        assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
    }
    // A key of bytes is taken as it is printed.
    assert!(run(["dump", &map("untyped"), "010203"]).expect(1).stderr.contains("has no such key"));
    // Of a process's maps those that can be counted are, by name.
    let load = Running::start(["load", &object("http"), "--listen", "127.0.0.1:0", "--json"]);
    load.line("attached");
    let counted = run(["dump", &format!("pid:{}", load.pid()), "--count-entries"]);
    assert!(counted.stderr.contains("--follow reads them"), "{}", counted.stderr);
    load.interrupt();
    load.end().expect(0);
}

/// What a slot of a sockmap holds is the kernel's own; that something is there is seen.
#[test]
#[ignore = "needs CAP_BPF"]
fn slots_whose_value_is_not_shown_have_their_keys() {
    let fs = Bpffs::mount();
    let pin = fs.path("socks");
    let args = ["map", "create", &pin, "type", "sockmap", "key", "4", "value", "4", "entries", "4", "name", "socks"];
    output_of(Command::new("bpftool").args(args));
    let text = run(["dump", &pin]).expect(0).text();
    assert!(
        text.contains("sockmap  name socks") && text.contains("  3: (the kernel does not show what is there)"),
        "{text}"
    );
    assert_eq!(dump(&[&pin]).kind("entry")[0]["value"], Json::Null);
}
