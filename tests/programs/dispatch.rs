//! dispatch: on packets, on an interface, and with a table that changes while it runs.

use crate::support::assertions::hold;
use crate::support::bpffs::Bpffs;
use crate::support::bpftool::bpftool;
use crate::support::netns::Netns;
use crate::support::objects::program;
use crate::support::process::{Ran, Running, run};
use crate::support::{GRACE, Json, number, text, wait_for};

/// Sends from and to 127.0.0.1 and `::1`: UDP three times and a TCP connection over both, an ICMP echo and a packet of protocol 47 over
/// IPv4. Whoever gets a packet has a socket for it, so that nobody complains.
const TRAFFIC: &str = "
import socket as s
for family, host in ((s.AF_INET, '127.0.0.1'), (s.AF_INET6, '::1')):
    udp = s.socket(family, s.SOCK_DGRAM); udp.bind((host, 7))
    for _ in range(3): s.socket(family, s.SOCK_DGRAM).sendto(b'hello', (host, 7))
    tcp = s.create_server((host, 8), family=family)
    s.create_connection((host, 8)).close()
raw = s.socket(s.AF_INET, s.SOCK_RAW, 1); raw.settimeout(5)
raw.sendto(bytes.fromhex('0800f7ff00000000'), ('127.0.0.1', 0)); raw.recv(99); raw.recv(99)
gre = s.socket(s.AF_INET, s.SOCK_RAW, 47); gre.settimeout(5)
gre.sendto(b'hello', ('127.0.0.1', 0)); gre.recv(99)
";

/// Starts it on the loopback interface of a namespace.
fn on_lo(netns: &Netns) -> Running {
    let running = netns.minibpf(&["load", &program("dispatch"), "--packet", "lo", "--json"]);
    running.line("attached");
    running
}

fn end(running: Running) -> Ran {
    running.interrupt();
    running.end().expect(0)
}

/// The counters of packets.
fn seen(ran: &Ran) -> Json {
    ran.map(".bss")["entries"][0]["value"]["seen"].clone()
}

/// How often the way ended at a protocol, as `protocol=packets`.
fn ended(ran: &Ran) -> Vec<String> {
    let entries = ran.map("ended")["entries"].as_array().unwrap().clone();
    entries.iter().map(|entry| format!("{}={}", entry["key"], entry["value"])).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn it_finds_the_program_of_each_protocol_and_notices_where_there_is_none() {
    hold("tests/run/programs/dispatch.sh");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_an_interface_it_counts_each_packet_by_what_it_carries() {
    let netns = Netns::new();
    let running = on_lo(&netns);
    netns.run(&["python3", "-c", TRAFFIC]);
    let ran = end(running);
    let seen = seen(&ran);
    // Each packet passes the loopback interface twice, going out and coming in.
    assert_eq!(number(&seen, "udp"), 2 * 2 * 3, "{seen}");
    assert_eq!(number(&seen, "syn"), 2 * 2, "{seen}");
    assert_eq!((number(&seen, "echo"), number(&seen, "icmp")), (2, 4), "an echo request and its answer: {seen}");
    assert_eq!(ended(&ran), ["47=2"]);
    assert!(number(&seen, "tcp") >= 2 * 2 * 4, "a handshake has three segments, and there is an end: {seen}");
    assert_eq!(number(&seen, "cut"), 0, "{seen}");
    let ip = number(&seen, "ipv4") + number(&seen, "ipv6");
    let carried = number(&seen, "udp") + number(&seen, "tcp") + number(&seen, "icmp") + 2;
    assert_eq!((number(&seen, "packets"), ip), (carried, carried), "{seen}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_slot_that_is_emptied_while_it_runs_ends_the_way_there() {
    let netns = Netns::new();
    let running = on_lo(&netns);
    let holder = format!("pid:{}:protocols", running.pid());
    let slots = run(["dump", &holder, "--json"]).expect(0);
    let id = number(&slots.lines()[0], "id").to_string();
    let keys = |all: &Json| all.as_array().unwrap().len();
    assert_eq!(keys(&bpftool(&["map", "dump", "id", &id])), 9, "what `values` has");
    // 6 is TCP.
    bpftool(&["map", "delete", "id", &id, "key", "6", "0", "0", "0"]);
    netns.run(&["python3", "-c", TRAFFIC]);
    let ran = end(running);
    let (seen, ended) = (seen(&ran), ended(&ran));
    assert_eq!((number(&seen, "tcp"), number(&seen, "udp")), (0, 12), "{seen}");
    assert!(ended.iter().any(|one| one.starts_with("6=")) && ended.len() == 2, "{ended:?}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_kernel_empties_the_table_when_nobody_but_the_program_holds_it() {
    let (netns, bpffs) = (Netns::new(), Bpffs::mount());
    let pins = bpffs.path("dispatch");
    run(["check", &program("dispatch"), "--pin", &pins, "-q"]).expect(0);
    let udp = |at: &str| {
        let data = run(["dump", &format!("{at}/_bss"), "--json"]).expect(0).only("entry");
        number(&data["formatted"]["value"][".bss"][0]["seen"], "udp")
    };
    let maps = bpffs.path("dispatch/maps");
    let running = netns.minibpf(&["attach", &format!("{pins}/dispatch"), "--packet", "lo", "--json"]);
    running.line("attached");
    netns.run(&["python3", "-c", TRAFFIC]);
    assert_eq!(udp(&maps), 12);
    // The socket holds the program, and the program its maps; but of those who could change the table, the pin was the last.
    let slots = run(["dump", &format!("{maps}/protocols"), "--json"]).expect(0);
    let id = number(&slots.lines()[0], "id").to_string();
    std::fs::remove_file(format!("{maps}/protocols")).unwrap();
    wait_for("the table to be empty", GRACE, || {
        bpftool(&["map", "dump", "id", &id]).as_array().unwrap().is_empty().then_some(())
    });
    netns.run(&["python3", "-c", TRAFFIC]);
    assert_eq!(udp(&maps), 12, "nobody counts any more");
    let ended = run(["dump", &format!("{maps}/ended"), "--json"]).expect(0).kind("entry");
    let ended: Vec<_> = ended.iter().map(|entry| text(entry, "key")).collect();
    assert!(ended.contains(&"0400") && ended.contains(&"2900"), "the way ends at the first jump: {ended:?}");
}
