//! A process whose socket is filtered runs on, and whichever of the two ends first, the other is well.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Server;
use crate::support::bpffs::Bpffs;
use crate::support::bpftool::wait_until_gone;
use crate::support::objects::{keeping, object};
use crate::support::probe::{ALL, Probe, end};
use crate::support::process::{Running, run, run_with_input};
use crate::support::server::HttpServer;
use crate::support::{Json, PATIENCE, number, text};

/// What `minibpf sockets` says of a descriptor.
#[track_caller]
fn socket(pid: u32, fd: i64) -> Json {
    let ran = run(["sockets", &pid.to_string(), "--json"]).expect(0);
    ran.kind("socket").into_iter().find(|socket| socket["fd"] == fd).unwrap_or_else(|| panic!("{}", ran.text()))
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_running_http_server_is_filtered_watched_and_left_alone_while_clients_talk() {
    let server = HttpServer::start();
    let (pid, before) = (server.pid(), server.answer());
    let at = format!("pid:{pid}:tcp:{}", server.target());
    let (running, attached) = Probe::new().watch(&["--attach", &at], ALL);
    assert_eq!((text(&attached, "hook"), text(&attached, "byte0")), ("tcp", "TCP header"));
    assert_eq!(number(&attached, "pid"), i64::from(pid));
    let undo = format!("minibpf detach --attach pid:{pid}:{}", attached["fd"]);
    assert_eq!(text(&running.line("undo"), "command"), undo);
    let kinds = running.said();
    assert!(kinds.find("\"undo\"") < kinds.find("\"SO_ATTACH_BPF\""), "what undoes it is said before it is done");
    let id = number(&running.line("loaded"), "id");
    assert_eq!(socket(pid, number(&attached, "fd"))["filter"], "ebpf");

    assert_eq!(server.answer().len(), before.len());
    let (_, seen) = end(running);
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen.u16_at(2) == server.port), "the server's port: {seen:?}");
    assert_eq!(socket(pid, number(&attached, "fd"))["filter"], "none");
    assert_eq!(server.answer().len(), before.len());
    wait_until_gone("prog", id);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_connection_that_stalls_recovers_when_the_filter_is_detached() {
    let server = Server::echo();
    let mut client = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    server.running.says("accepted");
    // The connection is named by its peer, for the listener has the same address.
    let at = format!("pid:{}:tcp:{}", server.pid(), client.local_addr().unwrap());
    let drops = keeping("drops", "0");
    let running = Running::start(["load", &drops.path(), "--attach", &at, "--json"]);
    running.line("attached");
    client.write_all(b"hello").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    assert!(client.read(&mut [0; 5]).is_err(), "nothing comes through");
    assert!(text(&running.line("warning"), "message").contains("dropped"));
    running.interrupt();
    let ran = running.end().expect(0);
    assert!(number(&ran.summary(), "drops") > 0);
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_does_not_keep_a_connection_open_and_the_load_ends_with_it() {
    let server = Server::echo();
    let mut client = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    server.running.says("accepted");
    let at = format!("pid:{}:tcp:{}", server.pid(), client.local_addr().unwrap());
    let running = Running::start(["load", &object("pass"), "--attach", &at, "--json"]);
    running.line("attached");
    client.shutdown(std::net::Shutdown::Write).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(client.read(&mut [0; 5]).unwrap(), 0, "the server's end is the connection's");
    assert_eq!(running.end().expect(0).summary()["ended"], "socket closed");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_process_that_ends_ends_the_load() {
    let server = Server::datagrams(None);
    let at = format!("pid:{}:udp:127.0.0.1:{}", server.pid(), server.port);
    let running = Running::start(["load", &object("pass"), "--attach", &at, "--json"]);
    running.line("attached");
    drop(server);
    assert_eq!(running.end().expect(0).summary()["ended"], "socket closed");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_pinned_program_is_attached_to_a_socket_of_its_own_until_the_peer_closes() {
    let (fs, server) = (Bpffs::mount(), HttpServer::start());
    run(["check", &object("count"), "--pin", &fs.path("x")]).expect(0);
    let args = ["attach", &fs.path("x/count"), "--connect", &server.target()];
    let ran = run_with_input(args, HttpServer::REQUEST).expect(0);
    assert!(ran.text().starts_with("HTTP/1.0 200"), "{}", ran.text());
    assert!(ran.stderr.contains("detached: peer closed"), "{}", ran.stderr);
    let error = run(["attach", &fs.path("x/maps/ports"), "--connect", &server.target(), "--json"]).expect(6);
    assert!(
        text(&error.only("error"), "message").ends_with("not a socket filter: it is the map `ports`, of type hash"),
        "{}",
        error.text()
    );
}
