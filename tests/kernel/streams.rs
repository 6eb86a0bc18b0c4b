//! What goes in at one end comes out at the other, whole.

use std::io::Read;
use std::net::Shutdown;

use crate::support::objects::object;
use crate::support::process::{Running, run_with_input};
use crate::support::server::{answering, serve};

/// More than any pipe or socket holds, and no multiple of a buffer's size.
const MANY: usize = 3_000_128;

/// Bytes that tell where they belong.
fn pattern() -> Vec<u8> {
    (0..MANY).map(|n| (n / 251 + n % 251) as u8).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_is_sent_arrives_to_the_last_byte_while_standard_input_stays_open() {
    let server = serve("127.0.0.1", |mut stream| {
        let mut received = vec![0; MANY];
        stream.read_exact(&mut received).map(|()| received)
    });
    let mut load = Running::start(["load", &object("count"), "--connect", &server.target(), "-q"]);
    load.send(&pattern());
    load.end().expect(0);
    assert!(server.result().unwrap() == pattern(), "other bytes arrived");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_peer_that_has_closed_its_own_side_still_gets_everything() {
    let server = serve("127.0.0.1", |mut stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).map(|_| received)
    });
    run_with_input(["load", &object("count"), "--connect", &server.target(), "-q"], &pattern()).expect(0);
    assert!(server.result().unwrap() == pattern(), "other bytes arrived");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_peer_that_closes_ends_the_load_though_standard_input_stays_open() {
    let server = serve("127.0.0.1", drop);
    let load = Running::start(["load", &object("pass"), "--connect", &server.target()]);
    let ran = load.end().expect(0);
    assert!(ran.stderr.contains("detached: peer closed"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_connection_that_breaks_off_is_told_from_one_that_ends() {
    // What is closed with bytes unread is reset.
    let server = serve("127.0.0.1", |stream| stream.peek(&mut [0]));
    let ran = run_with_input(["load", &object("pass"), "--connect", &server.target(), "--json"], &pattern()).expect(0);
    assert_eq!(ran.summary()["ended"], "connection lost");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_was_received_is_delivered_though_a_limit_ends_the_load() {
    let server = answering("127.0.0.1", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let ran =
        run_with_input(["load", &object("http"), "--connect", &server.target(), "--count", "1"], b"GET /").expect(0);
    let said = format!("{} bytes received", ran.stdout.len());
    assert!(ran.stderr.contains(&said), "no `{said}` in {}", ran.stderr);
}
