//! Where `--connect` goes: families, names, and what happens when nobody answers.

use crate::support::objects::object;
use crate::support::process::{Ran, run, run_with_input};
use crate::support::server::{answering, closed_port, reading};
use crate::support::{Json, number, text};

/// Loads `count` for a connection to `target`, over which a byte is sent.
fn load(target: &str, more: &[&str]) -> Ran {
    let object = object("count");
    let args = ["load", &object, "--connect", target, "--json", "--trace"];
    run_with_input(args.iter().chain(more), b"x")
}

/// The system calls that open the connection, in order.
fn opening(ran: &Ran) -> Vec<String> {
    let calls = ran.kind("syscall").into_iter().filter(|call| call["syscall"] != "bpf");
    calls.map(|call| text(&call, "call").to_owned()).filter(|call| call != "getsockopt").collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_ipv6_address_in_brackets_is_called_and_filtered() {
    let server = answering("::1", b"six");
    let port = server.address.port();
    let ran = load(&format!("[::1]:{port}"), &[]).expect(0);
    assert_eq!(text(&ran.only("attached"), "peer"), format!("[::1]:{port}"));
    assert_eq!(number(&ran.summary(), "bytes_received"), 3);
    let ports = ran.map("ports");
    assert_eq!(number(&ports["entries"][0], "key"), i64::from(port));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_host_name_is_tried_at_every_address_until_one_answers() {
    // Where the name has an IPv6 address too, that one refuses.
    let server = answering("127.0.0.1", b"four");
    let ran = load(&format!("localhost:{}", server.address.port()), &[]).expect(0);
    assert_eq!(text(&ran.only("attached"), "peer"), server.target());
    assert_eq!(number(&ran.summary(), "bytes_received"), 4);
    // Every socket that is tried has its filter before it connects.
    let calls = opening(&ran);
    for tried in calls[..calls.len() - 1].chunks(3) {
        assert_eq!(tried, ["socket", "setsockopt", "connect"]);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_filter_is_attached_before_connect_so_that_it_sees_the_syn_ack() {
    let server = answering("127.0.0.1", b"answer");
    let before = load(&server.target(), &[]).expect(0);
    assert_eq!(opening(&before), ["socket", "setsockopt", "connect", "setsockopt"]);
    assert_eq!(before.only("attached")["when"], "before connect");

    let server = answering("127.0.0.1", b"answer");
    let after = load(&server.target(), &["--after-connect"]).expect(0);
    assert_eq!(opening(&after), ["socket", "connect", "setsockopt", "setsockopt"]);
    assert_eq!(after.only("attached")["when"], "after connect");

    // The SYN-ACK's header is longer than all others, which are alike: whoever saw it has bytes left over.
    let left_over = |ran: &Ran| {
        let globals = ran.map(".bss")["entries"][0]["value"].clone();
        let header = number(&ran.map(".data")["entries"][0]["value"], "smallest_packet");
        number(&globals, "total_bytes") - 6 - header * number(&globals, "total_packets")
    };
    assert!(left_over(&before) > 0, "the SYN-ACK was counted");
    assert_eq!(left_over(&after), 0, "the SYN-ACK was not counted");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_refused_connection_is_6() {
    let target = closed_port();
    let error = load(&target.to_string(), &[]).expect(6).only("error");
    let message = text(&error, "message");
    assert!(message.contains("ECONNREFUSED") && message.contains(&target.to_string()), "{message}");
    let error = load(&format!("localhost:{}", target.port()), &[]).expect(6).only("error");
    assert!(text(&error, "message").contains("ECONNREFUSED"), "{error}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_name_that_does_not_resolve_is_6_and_nothing_is_loaded() {
    // An empty label makes no name server's day: the resolver refuses it by itself.
    let ran = load("nobody..invalid:80", &[]).expect(6);
    assert!(text(&ran.only("error"), "message").contains("nobody..invalid:80: the name does not resolve"));
    assert_eq!(ran.kind("syscall"), Vec::<Json>::new());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_that_drops_the_syn_ack_times_out_with_7_and_a_warning_that_says_so() {
    let server = reading();
    let object = object("drop");
    let args = ["load", &object, "--connect", &server.target(), "--set", "longer_than=10", "--timeout", "1500ms"];
    let started = std::time::Instant::now();
    let ran = run(args.iter().copied().chain(["--json"])).expect(7);
    assert!((1.4..10.0).contains(&started.elapsed().as_secs_f64()), "{:?}", started.elapsed());
    let warning = ran.only("warning");
    assert_eq!(warning["code"], "stall");
    assert!(text(&warning, "message").contains("SYN-ACK"), "{warning}");
    assert!(text(&ran.only("error"), "hint").contains("skb->len"), "{}", ran.text());

    let ran = run(args).expect(7);
    assert_eq!(ran.stderr.matches("warning:").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("SYN-ACK"), "{}", ran.stderr);
    // The kernel of the server gives up by itself; nobody ever accepts.
    drop(server);
}
