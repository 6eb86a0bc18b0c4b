//! dns-log: on packets, on a server that somebody's resolver asks, and beside a client.

use std::io::Write;
use std::net::UdpSocket;

use crate::support::assertions::hold;
use crate::support::netns::Netns;
use crate::support::objects::program;
use crate::support::process::{Ran, Running, run};
use crate::support::server::udp_owner;
use crate::support::{Json, number, text};

/// A question as it goes over the wire: this id, this name as labels, this type, class IN.
fn question(id: u16, labels: &[&[u8]], kind: u16) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in labels {
        message.push(label.len() as u8);
        message.extend(*label);
    }
    message.push(0);
    message.extend(kind.to_be_bytes());
    message.extend([0, 1]);
    message
}

/// The same as `minibpf run` takes it.
fn packet(message: &[u8]) -> String {
    message.iter().fold("udp:53:".to_owned(), |text, byte| text + &format!("\\x{byte:02x}"))
}

/// What was logged, in order: type, id and name.
fn logged(ran: &Ran) -> Vec<(String, i64, String)> {
    let of = |event: Json| {
        let query = &event["value"];
        let kind = query["type"].to_string().trim_matches('"').to_owned();
        (kind, number(query, "id"), text(query, "name").to_owned())
    };
    ran.kind("event").into_iter().map(of).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn it_logs_questions_and_nothing_else() {
    hold("tests/run/programs/dns-log.sh");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn names_types_and_ids_are_those_of_the_question() {
    let long = [b'x'; 63];
    let whole = [&long[..], &long, &long, &long[..61]];
    let cases: [(&[&[u8]], u16, &str, String); 7] = [
        (&[b"www", b"example", b"com"], 1, "A", "www.example.com".into()),
        (&[b"WwW", b"eXample", b"COM"], 28, "AAAA", "WwW.eXample.COM".into()),
        (&[b"_sip", b"_tcp", b"example"], 33, "SRV", "_sip._tcp.example".into()),
        (&[b"com"], 65, "HTTPS", "com".into()),
        // A type without a name is a number, and the root's name is empty.
        (&[], 4711, "4711", String::new()),
        (&whole, 255, "ANY", whole.map(|label| "x".repeat(label.len())).join(".")),
        (&[&b"a"[..]; 127], 15, "MX", ["a"; 127].join(".")),
    ];
    let packets = cases.iter().enumerate().map(|(id, (labels, kind, ..))| packet(&question(id as u16, labels, *kind)));
    let args = ["run", &program("dns-log"), "--program", "dns_packet", "--json", "-v"].map(str::to_owned);
    let ran = run(args.into_iter().chain(packets)).expect(0);
    let expected =
        cases.iter().enumerate().map(|(id, (_, _, kind, name))| ((*kind).to_owned(), id as i64, name.clone()));
    assert_eq!(logged(&ran), expected.collect::<Vec<_>>());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_what_lies_behind_a_name_nothing_is_in_the_event() {
    let mut message = question(1, &[b"a", b"b"], 1);
    message.extend([0xaa; 400]);
    let ran = run(["run", &program("dns-log"), "--program", "dns_packet", "--json", "-v", &packet(&message)]).expect(0);
    let bytes = text(&ran.only("event"), "bytes").to_owned();
    // Type 1, id 1, "a.b", and zeros.
    assert_eq!(bytes.trim_end_matches('0'), "010000000100612e62");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_name_that_would_command_a_terminal_is_escaped() {
    let message = question(1, &[b"\x1b[2J", b"com"], 1);
    let ran = run(["run", &program("dns-log"), "--program", "dns_packet", "-v", &packet(&message)]).expect(0);
    assert!(ran.text().contains(r#"name="\x1b[2J.com""#), "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn on_the_socket_of_a_running_server_it_logs_what_clients_ask() {
    let (_server, _, target) = udp_owner(&[]);
    let address = target.rsplit_once("udp:").unwrap().1.to_owned();
    let args = ["load", &program("dns-log"), "--program", "dns_socket", "--attach", &target, "--json", "--count", "2"];
    let running = Running::start(args);
    running.line("attached");
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"no question", &address).unwrap();
    client.send_to(&question(7, &[b"one", b"example"], 1), &address).unwrap();
    client.send_to(&question(8, &[b"two", b"example"], 16), &address).unwrap();
    let ran = running.end().expect(0);
    let expected = [("A", 7, "one.example"), ("TXT", 8, "two.example")];
    assert_eq!(logged(&ran), expected.map(|(kind, id, name)| (kind.to_owned(), id, name.to_owned())));
}

/// Asks for a name as any program does, with the resolver of the C library, which has 127.0.0.1 for its server, and no answer.
fn resolve(netns: &Netns, name: &str) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    // `search .`: else the domain of the machine's own name is tried, too.
    writeln!(file, "nameserver 127.0.0.1\nsearch .\noptions timeout:1 attempts:1").unwrap();
    let script = format!(
        "mount --bind {} /etc/resolv.conf && exec python3 -c 'import socket; socket.getaddrinfo(\"{name}\", 80)'",
        file.path().display()
    );
    netns.fails(&["unshare", "--mount", "sh", "-c", &script]);
}

#[test]
#[ignore = "needs CAP_BPF, CAP_NET_ADMIN"]
fn what_a_resolver_asks_is_logged_on_the_server_s_socket_and_on_the_interface() {
    for args in
        [["dns_socket", "--listen", "udp:127.0.0.1:53"].as_slice(), &["dns_packet", "--packet", "lo", "--cooked"]]
    {
        let netns = Netns::new();
        let object = program("dns-log");
        let running = netns.minibpf(&[&["load", &object, "--json", "--program"], args].concat());
        running.line("attached");
        resolve(&netns, "host.example");
        running.interrupt();
        let ran = running.end().expect(0);
        let mut asked: Vec<_> = logged(&ran).into_iter().map(|(kind, _, name)| (kind, name)).collect();
        asked.sort();
        asked.dedup(); // on lo each packet is seen as it goes and as it comes
        assert_eq!(asked, ["A", "AAAA"].map(|kind| (kind.to_owned(), "host.example".to_owned())));
    }
}
