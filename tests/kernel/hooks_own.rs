//! Sockets that minibpf opens itself: on each the filter runs, byte 0 is what the table says, and the return value keeps, trims
//! or drops.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::Duration;

use crate::support::PATIENCE;
use crate::support::netns::{Netns, python};
use crate::support::objects::object;
use crate::support::probe::{ALL, Probe, Seen, end, socket_calls};
use crate::support::process::{Ran, Running, run, run_with_input};
use crate::support::{Json, number, text};

/// Longer than a datagram on loopback takes to be read.
const MOMENT: Duration = Duration::from_millis(300);

fn local(attached: &Json) -> String {
    text(attached, "local").to_owned()
}

/// Of sockets whose filter's drops nobody counts, no 0 is told.
fn says_nothing_of_drops(ran: &Ran) -> bool {
    let summary = ran.summary();
    summary["drops"].is_null() && summary["socket"]["drops"].is_null() && !ran.stderr.contains("packets dropped")
}

/// Sends a datagram to a probe at `target` that keeps `keep` bytes of it; returns what it saw, how many bytes of payload were
/// read, and the sender's port.
fn to_udp_server(target: &str, from: &str, keep: u32, payload: &[u8]) -> (Seen, i64, u16) {
    let (running, attached) = Probe::new().watch(&["--listen", target], keep);
    assert_eq!((text(&attached, "hook"), text(&attached, "byte0")), ("udp", "UDP header"));
    let client = UdpSocket::bind(from).unwrap();
    client.send_to(payload, local(&attached)).unwrap();
    running.line("event");
    std::thread::sleep(MOMENT);
    let (ran, seen) = end(running);
    let calls: Vec<_> = socket_calls(&ran);
    let names: Vec<_> = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["socket", "SO_ATTACH_BPF", "bind", "SO_DETACH_FILTER"]);
    assert!(calls.iter().all(|(_, ret)| *ret >= 0), "{calls:?}");
    assert_eq!(number(&ran.summary(), "drops"), i64::from(keep == 0), "a dropped datagram is counted");
    (seen[0].clone(), number(&ran.summary(), "bytes_received"), client.local_addr().unwrap().port())
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_udp_byte_0_is_the_udp_header_and_the_return_value_keeps_trims_and_drops() {
    for (target, from) in [("udp:127.0.0.1:0", "127.0.0.1:0"), ("udp:[::1]:0", "[::1]:0")] {
        for (keep, left) in [(ALL, 5), (10, 2), (1, 0), (0, 0)] {
            let (seen, read, port) = to_udp_server(target, from, keep, b"hello");
            assert_eq!((seen.u16_at(0), seen.u16_at(4), seen.len), (port, 13, 13), "{target}");
            assert_eq!(&seen.bytes[8..13], b"hello");
            assert_eq!(read, left, "{target}, {keep} kept");
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_udp_client_filters_the_answers_and_passes_both_ways_unchanged() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let server = UdpSocket::bind(address).unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        let peer = server.local_addr().unwrap();
        let target = format!("udp:{peer}");
        let mut running = Running::start(["load", &object("count"), "--connect", &target, "--count", "1"]);
        running.send(b"question");
        let mut buffer = [0; 16];
        let (count, client) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"question");
        server.send_to(b"answer", client).unwrap();
        let ran = running.end().expect(0);
        assert_eq!(ran.text(), "answer");
        // count's ports are those of the senders: byte 0 is the header.
        let port = format!("  {}: {{packets=1 bytes=14}}", peer.port());
        assert!(ran.stderr.contains(&port), "{}", ran.stderr);
        assert!(ran.stderr.contains("8 bytes sent, 6 bytes received in 1 datagrams"), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_udp_client_that_nobody_listens_to_ends_and_says_so() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = run_with_input(["load", &object("pass"), "--connect", &format!("udp:{port}")], b"x").expect(0);
    assert!(ran.stderr.contains("Connection refused"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_udp_server_answers_whoever_sent_last() {
    let mut running = Running::start(["load", &object("pass"), "--listen", "udp:127.0.0.1:0", "--json"]);
    let server = local(&running.line("attached"));
    for _ in 0..2 {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(b"question", &server).unwrap();
        std::thread::sleep(MOMENT);
        running.send(b"answer");
        let mut buffer = [0; 16];
        let count = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"answer");
    }
    end(running);
}

/// Talks to a listener: sends, closes its side, and reads to the end.
fn talk(address: &str, words: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(words).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_tcp_listener_serves_one_connection_after_another_and_each_inherits_the_filter() {
    for target in ["127.0.0.1:0", "[::1]:0"] {
        let probe = Probe::new();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("received");
        let args = ["--listen", target, "--output", file.to_str().unwrap()];
        let (mut running, attached) = probe.watch(&args, ALL);
        assert_eq!((text(&attached, "hook"), text(&attached, "byte0")), ("tcp-listener", "TCP header"));
        let address = local(&attached);
        assert!(!address.ends_with(":0"), "what port 0 became: {address}");
        running.send(b"hello");
        running.end_input();
        assert_eq!(talk(&address, b"first "), b"hello");
        assert_eq!(talk(&address, b"second "), b"", "standard input was sent already");
        assert_eq!(talk(&address, b"third"), b"");
        // Its end was told before its words were read.
        std::thread::sleep(MOMENT);
        let (ran, seen) = end(running);
        assert_eq!(std::fs::read(&file).unwrap(), b"first second third");
        assert_eq!(ran.kind("accepted").len(), 3);
        let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
        assert!(seen.iter().all(|seen| seen.u16_at(2) == port), "each packet begins with the ports");
        assert!(seen.iter().any(|seen| seen.bytes.windows(5).any(|bytes| bytes == b"third") || seen.len > 32));
        assert_eq!(number(&ran.summary(), "bytes_sent"), 5);
        assert_eq!(
            socket_calls(&ran).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["socket", "SO_ATTACH_BPF", "SO_REUSEADDR", "bind", "listen", "SO_DETACH_FILTER"]
        );
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_listener_whose_filter_drops_the_syn_says_why_nobody_gets_in() {
    let (running, attached) = Probe::new().watch(&["--listen", "127.0.0.1:0"], 0);
    let address = local(&attached).parse().unwrap();
    let refused = TcpStream::connect_timeout(&address, Duration::from_millis(1500)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::TimedOut);
    let warning = running.line("warning");
    assert!(text(&warning, "message").contains("SYN"), "{warning}");
    end(running);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_a_raw_socket_byte_0_is_the_ip_header_and_on_ipv6_the_header_after_it() {
    // Protocol 253 is for experiments: nobody else sends it.
    let cases = [
        ("raw:253@127.0.0.1", "AF_INET", "127.0.0.1", "IP header", vec![0x45], 20, "raw"),
        ("raw:253@::1", "AF_INET6", "::1", "header after the IPv6 header", b"hel".to_vec(), 0, "raw6"),
    ];
    for (target, family, host, byte0, first, header, hook) in cases {
        for (keep, left) in [(ALL, header + 5), (3, 3), (0, 0)] {
            let (running, attached) = Probe::new().watch(&["--listen", target], keep);
            assert_eq!((text(&attached, "hook"), text(&attached, "byte0")), (hook, byte0));
            python(&format!(
                "import socket; socket.socket(socket.{family}, socket.SOCK_RAW, 253).sendto(b'hello', ('{host}', 0))"
            ));
            running.line("event");
            std::thread::sleep(MOMENT);
            let (ran, seen) = end(running);
            assert!(seen[0].bytes.starts_with(&first), "{target}: {seen:?}");
            assert_eq!(seen[0].len, header as u32 + 5, "{target}");
            assert_eq!(number(&ran.summary(), "bytes_received"), left, "{target}, {keep} kept");
            let names: Vec<_> = socket_calls(&ran).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["socket", "SO_ATTACH_BPF", "bind", "SO_DETACH_FILTER"]);
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_a_packet_socket_byte_0_is_the_ethernet_header_and_cooked_the_network_header() {
    let (netns, probe) = (Netns::new(), Probe::new());
    let send = "import socket as s
r = s.socket(s.AF_INET, s.SOCK_DGRAM); r.bind(('127.0.0.1', 7)); r.settimeout(5)
s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'hello', ('127.0.0.1', 7)); assert r.recv(9) == b'hello'";
    let cases: [(&[&str], _, _, _); 2] = [
        (&["--packet", "lo"], "Ethernet header", [[0; 12].as_slice(), &[8, 0, 0x45]].concat(), 14),
        (&["--packet", "lo", "--cooked"], "network header", vec![0x45], 0),
    ];
    for (target, byte0, first, header) in cases {
        // Each packet is seen twice on loopback: going out, and coming in.
        let whole = header + 20 + 8 + 5;
        for (keep, left) in [(ALL, 2 * whole), (20, 40), (0, 0)] {
            let running = netns.minibpf(&probe.args(target, keep));
            assert_eq!(text(&running.line("attached"), "byte0"), byte0);
            // It arrives, whatever the filter says: what is filtered is a copy.
            netns.run(&["python3", "-c", send]);
            running.line("event");
            std::thread::sleep(MOMENT);
            let (ran, seen) = end(running);
            assert_eq!(seen.iter().map(|seen| i64::from(seen.len)).collect::<Vec<_>>(), [whole, whole], "{seen:?}");
            assert!(seen[0].bytes.starts_with(&first), "{seen:?}");
            assert_eq!(number(&ran.summary(), "bytes_received"), left, "{target:?}, {keep} kept");
            assert!(says_nothing_of_drops(&ran), "{}", ran.stderr);
            let names: Vec<_> = socket_calls(&ran).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["socket", "SO_ATTACH_BPF", "bind", "SO_DETACH_FILTER"]);
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn no_packet_passes_a_packet_socket_unfiltered_while_it_is_opened() {
    let netns = Netns::new();
    let flood = "import socket as s
o = s.socket(s.AF_INET, s.SOCK_DGRAM)
print('flooding', flush=True)
while True: o.sendto(b'x', ('127.0.0.1', 7))";
    let flooding = netns.start(&["python3", "-c", flood]);
    flooding.says("flooding");
    for _ in 0..5 {
        let args =
            ["load", &object("drop"), "--set", "longer_than=0", "--packet", "lo", "--json", "--duration", "300ms"];
        let ran = netns.minibpf(&args).end().expect(0);
        assert!(number(&ran.summary(), "run_cnt") > 100, "{}", ran.text());
        assert_eq!(number(&ran.summary(), "datagrams"), 0, "{}", ran.text());
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_unix_datagrams_byte_0_is_the_payload_and_the_return_value_keeps_trims_and_drops() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let target = format!("unixgram:{}", path.display());
    for (keep, left) in [(ALL, 5), (2, 2), (0, 0)] {
        let (running, attached) = Probe::new().watch(&["--listen", &target], keep);
        assert_eq!((text(&attached, "hook"), text(&attached, "byte0")), ("unixgram", "payload"));
        let client = UnixDatagram::unbound().unwrap();
        // What the filter drops, the sender is not told of, or told by EPERM: kernels differ.
        let _ = client.send_to(b"hello", &path);
        running.line("event");
        std::thread::sleep(MOMENT);
        let (ran, seen) = end(running);
        assert_eq!((seen[0].len, &seen[0].bytes[..5]), (5, &b"hello"[..]));
        assert_eq!(number(&ran.summary(), "bytes_received"), left, "{keep} kept");
        assert!(says_nothing_of_drops(&ran), "{}", ran.stderr);
        assert!(!path.exists(), "the socket's file is removed");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_unix_datagram_client_can_be_answered_and_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let server = UnixDatagram::bind(&path).unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let target = format!("unixgram:{}", path.display());
    let mut running = Running::start(["load", &object("pass"), "--connect", &target, "--count", "1"]);
    running.send(b"question");
    let mut buffer = [0; 16];
    let (count, client) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"question");
    assert!(client.as_pathname().is_none(), "{client:?}");
    assert!(client.as_abstract_name().is_some(), "{client:?}");
    server.send_to_addr(b"answer", &client).unwrap();
    assert_eq!(running.end().expect(0).text(), "answer");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_a_unix_stream_the_filter_never_runs_and_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut words = String::new();
        stream.read_to_string(&mut words).unwrap();
        stream.write_all(words.to_uppercase().as_bytes()).unwrap();
    });
    let probe = Probe::new();
    let mut running = Running::start(probe.args(&["--connect", &format!("unix:{}", path.display())], 0));
    running.send(b"words");
    running.end_input();
    let ran = running.end().expect(0);
    server.join().unwrap();
    assert_eq!(ran.only("warning")["code"], "never-runs");
    assert_eq!((number(&ran.summary(), "bytes_received"), &ran.summary()["run_cnt"]), (5, &0.into()));
    assert_eq!(ran.kind("event"), Vec::<Json>::new());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_place_that_is_not_there_or_taken_is_6_and_one_that_is_not_allowed_4() {
    let dir = tempfile::tempdir().unwrap();
    let taken = dir.path().join("taken");
    let _server = UnixDatagram::bind(&taken).unwrap();
    let (taken, missing) = (taken.display(), dir.path().join("missing"));
    let in_use = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let busy = UdpSocket::bind(in_use).unwrap();
    for (option, target, says) in [
        ("--packet", "nosuch0".to_owned(), "nosuch0: there is no interface"),
        ("--listen", format!("udp:{}", busy.local_addr().unwrap()), "EADDRINUSE"),
        ("--listen", "udp:203.0.113.1:0".to_owned(), "EADDRNOTAVAIL"),
        ("--listen", format!("unixgram:{taken}"), "EADDRINUSE"),
        ("--connect", format!("unixgram:{}", missing.display()), "ENOENT"),
        ("--connect", format!("unix:{taken}"), "EPROTOTYPE"),
    ] {
        let error = run(["load", &object("pass"), option, &target, "--json"]).expect(6).only("error");
        assert!(text(&error, "message").contains(says), "{target}: {error}");
    }
    assert!(dir.path().join("taken").exists(), "what was there stays");
}
