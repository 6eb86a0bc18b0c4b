//! `minibpf sockets`: the same as ss says.

use std::net::UdpSocket;
use std::process::{Command, Stdio};

use super::Server;
use crate::support::process::{Running, output_of, run};
use crate::support::{Json, number, text};

#[test]
#[ignore = "needs CAP_BPF"]
fn sockets_says_the_same_of_addresses_as_ss_and_counts_drops() {
    let server = Server::datagrams(Some(0));
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"dropped", ("127.0.0.1", server.port)).unwrap();
    let found = run(["sockets", &server.pid().to_string(), "--json"]).expect(0).only("socket");
    let place = format!("127.0.0.1:{}", server.port);
    assert_eq!((text(&found, "type"), text(&found, "local"), text(&found, "filter")), ("udp", &*place, "classic"));
    assert_eq!((number(&found, "drops"), number(&found, "classic_insns")), (1, 1));
    let ss = output_of(Command::new("ss").args(["-Huanp", &format!("sport = :{}", server.port)]).stdin(Stdio::null()));
    let owner = format!("pid={},fd={}", server.pid(), found["fd"]);
    assert!(ss.contains(&place) && ss.contains(&owner), "{ss}");
    // Without a process, all of them.
    let all = run(["sockets", "--json"]).expect(0);
    assert!(all.kind("socket").iter().any(|one| one["pid"] == server.pid() && one["fd"] == found["fd"]));
}

/// What waits to be read is counted with the kernel's bookkeeping: more than its bytes, and `ss` says as much.
#[test]
#[ignore = "needs CAP_BPF"]
fn sockets_says_what_waits_in_the_queue_and_what_was_sent_again() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = socket.local_addr().unwrap();
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[1; 100], place).unwrap();
    let pid = std::process::id().to_string();
    let all = run(["sockets", &pid, "--json"]).expect(0).kind("socket");
    let found = all.into_iter().find(|one| text(one, "local") == place.to_string()).unwrap();
    let ss = output_of(Command::new("ss").args(["-Huanm", &format!("sport = :{}", place.port())]).stdin(Stdio::null()));
    let skmem = format!("skmem:(r{},rb{},", found["bytes_queued"], found["rcvbuf"]);
    assert!(number(&found, "bytes_queued") > 100 && ss.contains(&skmem), "{found} {ss}");
    assert_eq!(found["retransmitted"], Json::Null, "not a TCP connection");
    let verbose = run(["sockets", &pid, "-v"]).expect(0).text();
    assert!(verbose.contains("QUEUED") && verbose.contains(&found["rcvbuf"].to_string()), "{verbose}");
}

/// Any process may call itself what it likes.
#[test]
#[ignore = "needs CAP_BPF"]
fn the_name_of_a_process_cannot_command_a_terminal() {
    let line = "import ctypes, socket, sys\nctypes.CDLL(None).prctl(15, b'a\\x1b[31m', 0, 0, 0)\n\
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nprint('ready', flush=True)\nsys.stdin.read()";
    let process = Running::command(Command::new("python3").args(["-c", line]));
    process.says("ready");
    let pid = process.pid().to_string();
    let ran = run(["sockets", &pid]).expect(0).text();
    assert!(ran.contains("a\\u{1b}[31m") && !ran.contains('\u{1b}'), "{ran}");
    let found = run(["sockets", &pid, "--json"]).expect(0);
    assert!(!found.text().contains('\u{1b}'));
    assert_eq!(text(&found.only("socket"), "command"), "a\u{1b}[31m");
}
