//! Which socket is meant, and what is said where there is none, or it is out of reach.

use std::net::UdpSocket;
use std::process::Command;

use super::{Server, hint};
use crate::support::everybody::{Everybody, NOBODY};
use crate::support::objects::object;
use crate::support::probe::{ALL, Probe, end};
use crate::support::process::{MINIBPF, Running, run};
use crate::support::{PATIENCE, text};

#[test]
#[ignore = "needs CAP_BPF"]
fn inherited_descriptors_are_named_by_number_and_by_socket_activation() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let port = server.local_addr().unwrap().port();
    let probe = Probe::new();
    for (variables, hook) in [("", "fd:3"), ("LISTEN_FDS=1 LISTEN_PID=$$", "listen-fd:0")] {
        // bash opens a connected UDP socket for such a path, says hello over it, and becomes minibpf.
        let script = format!(
            "exec 3<>/dev/udp/127.0.0.1/{port}; echo hello >&3; exec env {variables} {MINIBPF} \"$@\" --attach {hook}"
        );
        let args = probe.args(&[], ALL);
        let running = Running::command(Command::new("bash").args(["-c", &script, "bash"]).args(args));
        assert_eq!(text(&running.line("attached"), "hook"), "udp");
        let (_, client) = server.recv_from(&mut [0; 16]).unwrap();
        server.send_to(b"answer", client).unwrap();
        running.line("event");
        let (_, seen) = end(running);
        assert_eq!((seen[0].u16_at(0), &seen[0].bytes[8..14]), (port, &b"answer"[..]), "{hook}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_is_no_socket_or_not_there_is_6_by_name_and_changes_nothing() {
    let server = Server::datagrams(None);
    let (pid, before) = (server.pid(), server.descriptors());
    for (at, says) in [
        ("pid:2147483647:3".to_owned(), "no process 2147483647".to_owned()),
        (format!("pid:{pid}:1"), format!("descriptor 1 of process {pid} is not a socket: it is pipe:")),
        (format!("pid:{pid}:99"), format!("process {pid} (python3) has no descriptor 99")),
        (format!("pid:{pid}:udp:127.0.0.1:1"), "no udp socket at 127.0.0.1:1".to_owned()),
        (format!("pid:{pid}:tcp:127.0.0.1:{}", server.port), "no tcp socket".to_owned()),
        ("fd:0".to_owned(), "descriptor 0 is not a socket".to_owned()),
        ("fd:99".to_owned(), "descriptor 99: ".to_owned()),
        ("listen-fd:0".to_owned(), "LISTEN_FDS is not set".to_owned()),
    ] {
        for command in [&["load", &object("pass")][..], &["detach"]] {
            let args = command.iter().copied().chain(["--attach", &at, "--json"]);
            let ran = run(args).expect(6);
            let error = ran.only("error");
            assert!(text(&error, "message").contains(&says), "{at}: {error}");
            assert_eq!(ran.lines().len(), 1, "nothing was loaded: {}", ran.text());
        }
    }
    let error = run(["attach", "id:4294967295", "--attach", "fd:0", "--json"]).expect(6).only("error");
    assert!(text(&error, "message").contains("program 4294967295"), "{error}");
    assert_eq!(server.descriptors(), before);
    server.gets("hello", "hello");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn another_users_process_is_4() {
    let server = Server::datagrams(None);
    let everybody = Everybody::new();
    for at in [format!("pid:{}:3", server.pid()), format!("pid:{}:udp:127.0.0.1:{}", server.pid(), server.port)] {
        let ran = everybody.run(NOBODY, &["detach", "--attach", &at, "--json"]).expect(4);
        assert!(hint(&ran).contains("CAP_SYS_PTRACE"), "{}", ran.text());
    }
}
