//! Sockets of other processes: found by descriptor or address, filtered while the process runs on, and left as they were.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::bpffs::Bpffs;
use crate::support::bpftool::{bpftool, wait_until_gone};
use crate::support::objects::{keeping, object};
use crate::support::probe::{ALL, Probe, end};
use crate::support::process::{MINIBPF, Ran, Running, output_of, run};
use crate::support::server::HttpServer;
use crate::support::{Json, PATIENCE, number, text, wait_for};

/// A server in python3, in a process of its own.
struct Server {
    running: Running,
    port: u16,
}

impl Server {
    /// Runs lines that begin with a bound socket `s`; `port` is said first.
    fn start(kind: &str, lines: &str) -> Self {
        let script = format!(
            "import socket, struct, ctypes\ns = socket.socket(socket.AF_INET, socket.{kind})\ns.bind(('127.0.0.1', 0))\nprint('port', s.getsockname()[1], flush=True)\n{lines}"
        );
        let running = Running::command(Command::new("python3").args(["-u", "-c", &script]));
        running.says("port ");
        let port =
            wait_for("the port", PATIENCE, || running.said().lines().next()?.strip_prefix("port ")?.parse().ok());
        Self { running, port }
    }

    /// A TCP server that sends back what it gets, one connection.
    fn echo() -> Self {
        Self::start(
            "SOCK_STREAM",
            "s.listen()\nc, _ = s.accept()\nprint('accepted', flush=True)\nwhile True:\n  b = c.recv(4096)\n  if not b: break\n  c.sendall(b)\nprint('closed', flush=True)\nc.close()\nimport time\ntime.sleep(30)",
        )
    }

    /// A UDP socket whose classic filter, if there is one, keeps `keep` bytes: it says what it gets.
    fn datagrams(keep: Option<u32>) -> Self {
        let filter = keep.map_or_else(String::new, |keep| {
            format!(
                "b = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, {keep}))\ns.setsockopt(socket.SOL_SOCKET, 26, struct.pack('HxxxxxxQ', 1, ctypes.addressof(b)))\n"
            )
        });
        Self::start("SOCK_DGRAM", &format!("{filter}while True: print('got', s.recv(99).decode(), flush=True)"))
    }

    fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Sends a datagram, and waits until the server says what came of it.
    #[track_caller]
    fn gets(&self, sent: &str, got: &str) {
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(sent.as_bytes(), ("127.0.0.1", self.port)).unwrap();
        self.running.says(&format!("got {got}\n"));
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }
}

/// What `minibpf sockets` says of a descriptor.
#[track_caller]
fn socket(pid: u32, fd: i64) -> Json {
    let ran = run(["sockets", &pid.to_string(), "--json"]).expect(0);
    ran.kind("socket").into_iter().find(|socket| socket["fd"] == fd).unwrap_or_else(|| panic!("{}", ran.text()))
}

fn hint(ran: &Ran) -> String {
    text(&ran.only("error"), "hint").to_owned()
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
fn a_classic_filter_is_refused_replaced_on_demand_and_back_afterwards() {
    let server = Server::datagrams(Some(8 + 2));
    let at = format!("pid:{}:udp:127.0.0.1:{}", server.pid(), server.port);
    server.gets("first", "fi");
    let load = |more: &[&str]| {
        let args = ["load", &object("pass"), "--attach", &at, "--json"];
        Running::start(args.iter().copied().chain(more.iter().copied()))
    };
    let refused = load(&[]).end().expect(6);
    assert!(text(&refused.only("error"), "message").contains("classic filter of 1 instructions"), "{}", refused.text());
    assert!(hint(&refused).contains("--replace"));
    server.gets("again", "ag");

    let running = load(&["--replace"]);
    running.line("attached");
    server.gets("whole", "whole");
    let (ran, _) = end(running);
    assert!(text(&ran.only("undo"), "command").ends_with(" --restore '1,6 0 0 10'"), "{}", ran.text());
    server.gets("short", "sh");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_line_that_undoes_an_attach_brings_the_classic_filter_back_once() {
    let (fs, server) = (Bpffs::mount(), Server::datagrams(Some(8 + 2)));
    run(["check", &object("pass"), "--pin", &fs.path("x")]).expect(0);
    let (pin, at) = (fs.path("x/pass"), format!("pid:{}:udp:127.0.0.1:{}", server.pid(), server.port));
    run(["attach", &pin, "--attach", &at]).expect(6);
    let ran = run(["attach", &pin, "--attach", &at, "--replace"]).expect(0);
    let undo = ran.stderr.lines().find_map(|line| line.strip_prefix("to undo it: minibpf ")).unwrap();
    server.gets("whole", "whole");
    // An eBPF filter is there now, and it cannot be had back.
    let refused = run(["attach", &pin, "--attach", &at, "--json"]).expect(6);
    assert!(text(&refused.only("error"), "message").contains("eBPF") && hint(&refused).contains("lost"));
    let again = run(["attach", &pin, "--attach", &at, "--replace", "--json"]).expect(0);
    assert_eq!(again.only("warning")["code"], "unrecoverable");

    let shell = |line: &str| Running::command(Command::new("sh").args(["-c", &format!("{MINIBPF} {line}")])).end();
    shell(undo).expect(0);
    server.gets("short", "sh");
    // Nothing of ours is there any more.
    shell(undo).expect(6);
    server.gets("still", "st");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_second_detach_says_that_nothing_is_there_and_a_locked_filter_stays() {
    let server = Server::datagrams(None);
    let at = format!("pid:{}:udp:127.0.0.1:{}", server.pid(), server.port);
    let trims = keeping("trims", "10");
    let fs = Bpffs::mount();
    run(["check", &trims.path(), "--pin", &fs.path("x")]).expect(0);
    let id = number(&bpftool(&["prog", "show", "pinned", &fs.path("x/trims")]), "id");
    run(["attach", &format!("id:{id}"), "--attach", &at]).expect(0);
    server.gets("first", "fi");
    let detached = run(["detach", "--attach", &at, "--json"]).expect(0);
    assert_eq!(detached.only("detached")["hook"], "udp");
    server.gets("second", "second");
    let error = run(["detach", "--attach", &at, "--json"]).expect(6).only("error");
    assert!(text(&error, "message").contains("ENOENT"), "{error}");

    let locked = run(["attach", &format!("id:{id}"), "--attach", &at, "--lock", "--json"]).expect(0);
    assert_eq!(locked.only("warning")["code"], "lock");
    assert_eq!(locked.kind("undo"), Vec::<Json>::new(), "nothing undoes it");
    let error = run(["detach", "--attach", &at, "--json"]).expect(6).only("error");
    assert!(text(&error, "message").contains("EPERM") && text(&error, "hint").contains("locked"), "{error}");
    let error = run(["load", &object("pass"), "--attach", &at, "--replace", "--json"]).expect(6).only("error");
    assert!(text(&error, "hint").contains("locked"), "{error}");
    let fd = run(["sockets", &server.pid().to_string(), "--json"]).expect(0).only("socket");
    assert_eq!((&fd["filter"], &fd["locked"]), (&"ebpf".into(), &true.into()));
    server.gets("third", "th");
    // It goes with the socket.
    drop(server);
    drop(fs);
    wait_until_gone("prog", id);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_load_that_fails_takes_its_filter_off_and_puts_the_classic_one_back() {
    let server = Server::datagrams(Some(8 + 2));
    let before = server.descriptors();
    let at = format!("pid:{}:udp:127.0.0.1:{}", server.pid(), server.port);
    // head ends after a line or two; whoever writes then gets EPIPE, before or after the filter is attached.
    for lines in ["1", "2", "3"] {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("\"$0\" \"$@\" | head -n {lines}")).arg(MINIBPF);
        command.args(["load", &Probe::new().path(), "--json", "--attach", &at, "--replace", "--duration", "1s"]);
        Running::command(&mut command).end().expect(0);

        server.gets(&format!("{lines}yz"), &format!("{lines}y"));
    }
    assert_eq!(server.descriptors(), before);
}

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
    // Where nobody may run it.
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = dir.path().join("minibpf");
    std::fs::copy(MINIBPF, &copy).unwrap();
    for at in [format!("pid:{}:3", server.pid()), format!("pid:{}:udp:127.0.0.1:{}", server.pid(), server.port)] {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&copy);
        let ran = Running::command(command.args(["detach", "--attach", &at, "--json"])).end().expect(4);
        assert!(hint(&ran).contains("CAP_SYS_PTRACE"), "{}", ran.text());
    }
}

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

#[test]
#[ignore = "needs CAP_BPF"]
fn a_pinned_program_is_attached_to_a_socket_of_its_own_until_the_peer_closes() {
    let (fs, server) = (Bpffs::mount(), HttpServer::start());
    run(["check", &object("count"), "--pin", &fs.path("x")]).expect(0);
    let args = ["attach", &fs.path("x/count"), "--connect", &server.target()];
    let ran = crate::support::process::run_with_input(args, HttpServer::REQUEST).expect(0);
    assert!(ran.text().starts_with("HTTP/1.0 200"), "{}", ran.text());
    assert!(ran.stderr.contains("detached: peer closed"), "{}", ran.stderr);
    let error = run(["attach", &fs.path("x/maps/ports"), "--connect", &server.target(), "--json"]).expect(6);
    assert!(
        text(&error.only("error"), "message").ends_with("not a socket filter: it is the map `ports`, of type hash"),
        "{}",
        error.text()
    );
}
