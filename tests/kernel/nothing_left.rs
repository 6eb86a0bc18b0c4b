//! A command that fails leaves nothing in the kernel, and nothing on disk.

use std::fs;
use std::process::{Command, id};

use crate::support::bpftool::wait_until_no;
use crate::support::number;
use crate::support::objects::{Made, compile};
use crate::support::process::{MINIBPF, Running};
use crate::support::server::{closed_port, reading};

/// Names that no other process uses: the ids of what a failed command had made are not told.
struct Names {
    map: String,
    program: String,
}

impl Names {
    fn new(letter: char) -> Self {
        Self { map: format!("m{letter}_{}", id()), program: format!("p{letter}_{}", id()) }
    }

    /// A filter with a map that returns this, after it has looked into the map.
    fn filter(&self, returns: &str) -> Made {
        let Self { map, program } = self;
        compile(&format!(
            "struct {{ __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); }}
             {map} SEC(\".maps\");
             SEC(\"socket\") int {program}(struct __sk_buff *skb)
             {{
                 __u32 key = 0;
                 return bpf_map_lookup_elem(&{map}, &key) ? {returns} : 0;
             }}"
        ))
    }

    /// Runs minibpf in an empty folder; it must create the map, fail, and leave neither it, nor a program, nor a file.
    #[track_caller]
    fn fail(&self, code: i32, args: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let args: Vec<_> = args.iter().chain(&["--json", "--trace"]).collect();
        let ran = Running::command(Command::new(MINIBPF).args(args).current_dir(dir.path())).end().expect(code);
        let created = |call: &&crate::support::Json| call["call"] == "BPF_MAP_CREATE" && number(call, "ret") > 0;
        assert_eq!(ran.kind("syscall").iter().filter(created).count(), 1, "{}", ran.text());
        wait_until_no("map", &self.map);
        wait_until_no("prog", &self.program);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_program_that_the_verifier_refuses_leaves_nothing() {
    let names = Names::new('v');
    let made = names.filter("*(__u32 *)((char *)skb + 76)");
    names.fail(5, &["check", &made.path()]);
    names.fail(5, &["load", &made.path(), "--connect", "127.0.0.1:9"]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_connection_that_is_refused_leaves_nothing() {
    let names = Names::new('r');
    names.fail(6, &["load", &names.filter("skb->len").path(), "--connect", &closed_port().to_string()]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_connection_that_times_out_leaves_nothing() {
    let names = Names::new('t');
    let server = reading();
    names.fail(7, &["load", &names.filter("0").path(), "--connect", &server.target(), "--timeout", "300ms"]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_socket_that_cannot_be_opened_leaves_nothing() {
    let names = Names::new('s');
    let made = names.filter("skb->len");
    let busy = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _busy = std::net::UdpSocket::bind(busy).unwrap();
    names.fail(6, &["load", &made.path(), "--listen", &format!("udp:{busy}")]);
    names.fail(6, &["load", &made.path(), "--listen", "203.0.113.1:0"]);
    names.fail(6, &["load", &made.path(), "--listen", "unixgram:/no/such/directory/socket"]);
    names.fail(6, &["load", &made.path(), "--connect", "unixgram:/no/such/directory/socket"]);
    names.fail(6, &["load", &made.path(), "--attach", &format!("reuseport:udp:{busy}")]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_reader_that_goes_away_leaves_nothing_and_no_message() {
    let names = Names::new('e');
    let made = names.filter("skb->len");
    let server = reading();
    let mut command = Command::new("sh");
    // head ends after the first line; whoever writes then gets EPIPE.
    command.arg("-c").arg("\"$0\" \"$@\" | head -n 1").arg(MINIBPF);
    command.args(["load", &made.path(), "--connect", &server.target(), "--json", "--duration", "2s"]);
    let ran = Running::command(&mut command).end().expect(0);
    assert_eq!((ran.lines().len(), ran.stderr.as_str()), (1, ""));
    wait_until_no("map", &names.map);
    wait_until_no("prog", &names.program);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_load_that_is_killed_leaves_nothing() {
    let names = Names::new('k');
    let made = names.filter("skb->len");
    let server = reading();
    let running = Running::start(["load", &made.path(), "--connect", &server.target(), "--json"]);
    running.line("attached");
    // Dropping it kills it with SIGKILL: there is no time to clean up, and no need.
    drop(running);
    wait_until_no("map", &names.map);
    wait_until_no("prog", &names.program);
}
