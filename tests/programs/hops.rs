//! hops: on every TTL, and on real connections to servers that seem far away.

use crate::support::assertions::hold;
use crate::support::netns::Netns;
use crate::support::objects::program;
use crate::support::process::{Ran, run};
use crate::support::{Json, number};

/// Ethernet header and IP header of a packet with this TTL. hops looks for the TCP flags 13 bytes behind byte 0. On a TCP socket that is
/// the TCP header; in a test run it is the IP header, so the second byte of an IPv4 source address plays the flags, and the sixth of an
/// IPv6 one.
fn ipv4(ttl: u8, flags: u8) -> String {
    format!("000000000001 000000000002 0800 45000014 00004000 {ttl:02x}060000 0a{flags:02x}0001 0a000002")
}

/// With four bytes of options.
fn ipv4_options(ttl: u8, flags: u8) -> String {
    format!("000000000001 000000000002 0800 46000018 00004000 {ttl:02x}060000 0a{flags:02x}0001 0a000002 01010101")
}

fn ipv6(ttl: u8, flags: u8) -> String {
    let (source, destination) =
        (format!("fd0000 0000 {flags:02x} 00000000000000000001"), "fd00 00000000 00000000 00000000 0002");
    format!("000000000001 000000000002 86dd 60000000 000006{ttl:02x} {source} {destination}")
}

/// TTL, what it was sent with, and routers, as the events have them.
fn distances(ran: &Ran) -> Vec<(i64, i64, i64)> {
    let distance = |event: &Json| {
        let value = &event["value"];
        (number(value, "ttl"), number(value, "sent"), number(value, "hops"))
    };
    ran.kind("event").iter().map(distance).collect()
}

/// What it reports of these packets in a test run.
fn tried(packets: &[String]) -> Vec<(i64, i64, i64)> {
    let object = program("hops");
    let data = packets.iter().flat_map(|packet| ["--data", packet]);
    distances(&run(["run", &object, "--json", "-v", "--expect", "keep"].into_iter().chain(data)).expect(0))
}

#[test]
#[ignore = "needs CAP_BPF"]
fn it_keeps_everything_whatever_comes() {
    hold("tests/run/programs/hops.sh");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_distance_is_from_the_next_larger_of_64_128_and_255() {
    for packet in [ipv4, ipv4_options, ipv6] {
        let ttls = [0, 1, 63, 64, 65, 127, 128, 129, 254, 255];
        let expected = [
            (0, 64, 64),
            (1, 64, 63),
            (63, 64, 1),
            (64, 64, 0),
            (65, 128, 63),
            (127, 128, 1),
            (128, 128, 0),
            (129, 255, 126),
            (254, 255, 1),
            (255, 255, 0),
        ];
        assert_eq!(tried(&ttls.map(|ttl| packet(ttl, 0x12))), expected);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn only_a_syn_with_an_ack_is_reported() {
    // FIN, SYN, RST, ACK, PSH ACK, FIN ACK, RST ACK; then SYN ACK alone and with ECE.
    let flags = [0x01, 0x02, 0x04, 0x10, 0x18, 0x11, 0x14, 0x12, 0x52];
    assert_eq!(tried(&flags.map(|flags| ipv4(60, flags))), [(60, 64, 4); 2]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_a_connection_it_reports_the_servers_distance_once() {
    let script = "import socket, sys
family, option, host, ttl = eval(sys.argv[1])
s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.setsockopt(*option, ttl); s.bind((host, 9000)); s.listen(); print('ready', flush=True)
while True:
    c = s.accept()[0]; c.sendall(b'hello'); c.close()";
    let v4 = ("(socket.AF_INET, (socket.IPPROTO_IP, socket.IP_TTL), '127.0.0.1'", "127.0.0.1:9000");
    let v6 = ("(socket.AF_INET6, (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS), '::1'", "[::1]:9000");
    let netns = Netns::new();
    for ((server, address), ttl, expected) in [
        (v4, 64, (64, 64, 0)),
        (v4, 51, (51, 64, 13)),
        (v4, 120, (120, 128, 8)),
        (v4, 255, (255, 255, 0)),
        (v6, 64, (64, 64, 0)),
        (v6, 243, (243, 255, 12)),
    ] {
        let server = netns.start(&["python3", "-c", script, &format!("{server}, {ttl})")]);
        server.says("ready");
        let mut load = netns.minibpf(&["load", &program("hops"), "--connect", address, "--json"]);
        load.end_input();
        let ran = load.end().expect(0);
        assert_eq!(distances(&ran), [expected], "one event for a connection of several segments");
        assert_eq!(number(&ran.summary(), "bytes_received"), 5, "nothing is taken from the connection");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn nothing_is_reported_of_a_refused_connection_or_one_that_stood_already() {
    let netns = Netns::new();
    let refused = netns.minibpf(&["load", &program("hops"), "--connect", "127.0.0.1:9000", "--json"]).end().expect(6);
    assert!(distances(&refused).is_empty(), "a reset is no SYN-ACK");

    let server = netns.start(&[
        "python3",
        "-c",
        "import socket
s = socket.create_server(('127.0.0.1', 9000)); print('ready', flush=True); c = s.accept()[0]; c.sendall(b'hello'); c.recv(1)",
    ]);
    server.says("ready");
    let args = ["load", &program("hops"), "--after-connect", "--connect", "127.0.0.1:9000", "--json"];
    let mut load = netns.minibpf(&args);
    load.end_input();
    let ran = load.end().expect(0);
    assert!(distances(&ran).is_empty(), "the SYN-ACK came before the filter");
    assert_eq!(number(&ran.summary(), "bytes_received"), 5);
}
