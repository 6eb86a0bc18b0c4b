//! A stalled connection is recognised, said once, and not mistaken for a slow or a silent one.

use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{KeepAlive, TcpKeepIdle, TcpKeepInterval};

use crate::support::Json;
use crate::support::objects::{keeping, object};
use crate::support::process::{Ran, Running, run_with_input};
use crate::support::server::{HttpServer, Server, answering, reading, serve, talking};
use crate::support::{number, text};

/// A payload that fits into one packet.
static PAYLOAD: [u8; 200] = [b'x'; 200];

/// Waits for the warning, then as long again as the warning took to see that it does not come twice.
fn warned_once(args: &[&str]) -> Json {
    let running = Running::start(args.iter().chain(&["--json"]));
    let warning = running.line("warning");
    sleep(Duration::from_secs(3));
    running.interrupt();
    let ran = running.end().expect(0);
    assert_eq!(ran.only("warning"), warning);
    assert_eq!(warning["code"], "stall");
    assert!(ran.stderr.starts_with("warning: "), "{}", ran.stderr);
    assert_eq!(number(&ran.summary(), "bytes_received"), 0);
    warning
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_that_drops_what_the_peer_sends_is_warned_of_once() {
    let server = talking(&PAYLOAD);
    // Longer than the SYN-ACK, shorter than a header with the payload.
    let args = ["load", &object("drop"), "--set", "longer_than=60", "--connect", &server.target()];
    let warning = warned_once(&args);
    assert!(text(&warning, "message").contains("dropped"), "{warning}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_that_trims_what_the_peer_sends_is_warned_of_once() {
    let server = talking(&PAYLOAD);
    let filter = keeping("trims", "20");
    let warning = warned_once(&["load", &filter.path(), "--connect", &server.target()]);
    assert!(text(&warning, "message").contains("without their data"), "{warning}");

    let server = serve("127.0.0.1", |mut stream| {
        use std::io::{Read, Write};
        // After the filter was attached to the open connection.
        sleep(Duration::from_millis(500));
        let _ = stream.write_all(&PAYLOAD);
        let _ = stream.read(&mut [0; 16]);
    });
    let warning = warned_once(&["load", &filter.path(), "--connect", &server.target(), "--after-connect"]);
    assert!(text(&warning, "message").contains("without their data"), "{warning}");
}

#[track_caller]
fn no_warning(ran: &Ran) {
    assert_eq!(ran.kind("warning"), Vec::<Json>::new());
    assert_eq!(ran.stderr, "");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_upload_that_is_only_acknowledged_is_no_stall() {
    const SIZE: usize = 8 << 20;
    let server = reading();
    let ran =
        run_with_input(["load", &object("count"), "--connect", &server.target(), "--json"], &vec![7; SIZE]).expect(0);
    assert_eq!(server.result(), SIZE as u64);
    assert_eq!(number(&ran.summary(), "bytes_sent"), SIZE as i64);
    no_warning(&ran);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_download_is_no_stall() {
    static ANSWER: [u8; 4 << 20] = [b'x'; 4 << 20];
    let server = answering("127.0.0.1", &ANSWER);
    let ran = run_with_input(["load", &object("count"), "--connect", &server.target(), "--json"], b"x").expect(0);
    assert_eq!(number(&ran.summary(), "bytes_received"), ANSWER.len() as i64);
    no_warning(&ran);
}

/// Loads `pass` for this long on a connection over which little happens.
fn watched(server: &Server<()>, input: &[u8], duration: &str) -> Ran {
    let args = ["load", &object("pass"), "--connect", &server.target(), "--json", "--duration", duration];
    let mut running = Running::start(args);
    running.send(input);
    running.end().expect(0)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_idle_connection_is_no_stall() {
    no_warning(&watched(&talking(b"that was all"), b"and that", "4s"));
}

/// Does something with the connection, then keeps it open without reading.
fn silent(then: impl FnOnce(&TcpStream) + Send + 'static) -> Server<()> {
    serve("127.0.0.1", move |stream| {
        then(&stream);
        sleep(Duration::from_secs(7));
    })
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_peer_that_does_not_read_is_no_stall_of_the_filter() {
    // Its window closes, and both sides probe.
    no_warning(&watched(&silent(|_| ()), &vec![7; 2 << 20], "5s"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_peer_that_asks_every_second_whether_we_live_is_no_stall() {
    // A keep-alive probe is a segment without data, out of sequence: it counts as dropped, though not by the filter.
    let server = silent(|stream| {
        setsockopt(stream, KeepAlive, &true).unwrap();
        setsockopt(stream, TcpKeepIdle, &1).unwrap();
        setsockopt(stream, TcpKeepInterval, &1).unwrap();
    });
    no_warning(&watched(&server, b"", "6s"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn an_answer_that_is_cut_off_before_the_peer_closes_is_said_to_be_missing() {
    let server = HttpServer::start();
    let filter = keeping("trims", "20");
    let args = ["load", &filter.path(), "--connect", &server.target(), "--json", "--duration", "5s"];
    let ran = run_with_input(args, HttpServer::REQUEST).expect(0);
    // Whether the peer's end comes through alone or with the answer that is sent again decides which of the two it is.
    let warning = ran.only("warning");
    assert!(["stall", "loss"].contains(&text(&warning, "code")), "{warning}");
    assert!(text(&warning, "message").contains("less than skb->len"), "{warning}");
    assert_eq!(number(&ran.summary(), "bytes_received"), 0);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_peer_that_closes_without_an_answer_is_no_loss() {
    let server = serve("127.0.0.1", |mut stream| drop(std::io::Read::read(&mut stream, &mut [0; 16])));
    no_warning(&run_with_input(["load", &object("pass"), "--connect", &server.target(), "--json"], b"x").expect(0));
}
