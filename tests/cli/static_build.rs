//! The static build: one file that needs no other.

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;
use tempfile::TempDir;

use crate::support::netns::Netns;
use crate::support::objects::object;
use crate::support::process::{Ran, Running, copy_file, output_of};

/// Answers every question of an IPv4 address with 127.0.0.1.
const NAME_SERVER: &str = r#"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53)); print("bound", flush=True)
while True:
    q, who = s.recvfrom(512)
    end = q.index(0, 12) + 5
    answer = bytes.fromhex("c00c00010001000000010004") + bytes([127, 0, 0, 1]) if q[end - 4:end - 2] == b"\0\1" else b""
    s.sendto(q[:2] + b"\x81\x80\0\1" + bytes([0, 1 if answer else 0]) + bytes(4) + q[12:end] + answer, who)
"#;

/// A directory with nothing but the program in it.
fn alone() -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = output_of(Command::new(root.join("scripts/static")).arg("--debug"));
    let dir = tempfile::tempdir().unwrap();
    copy_file(root.join(built.trim()).to_str().unwrap(), &dir.path().join("minibpf"));
    dir
}

/// Runs it where there is nothing else.
fn run_in(dir: &TempDir, by_way_of: &[String], args: &[&str]) -> Ran {
    let words: Vec<&str> = by_way_of.iter().map(String::as_str).chain(["chroot"]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(dir.path()).arg("/minibpf").args(args);
    let mut running = Running::command(&mut command);
    running.end_input();
    running.end()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_static_build_is_a_file_that_needs_no_other() {
    let dir = alone();
    let program = dir.path().join("minibpf");
    let headers = output_of(Command::new("readelf").args(["-lWd"]).arg(&program));
    assert!(!headers.contains("INTERP") && !headers.contains("(NEEDED)"), "{headers}");
    assert!(output_of(Command::new("ldd").arg(&program)).contains("statically linked"));
    let version = run_in(&dir, &[], &["--version"]).expect(0).text();
    assert!(version.contains(", musl, static"), "{version}");
    let is_git = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.git").exists();
    let revision = Regex::new(r"\A\S+ \S+ \([0-9a-f]{7,} \d{4}-\d\d-\d\d\)\n").unwrap();
    assert_eq!(revision.is_match(&version), is_git, "{version}");

    let demo = run_in(&dir, &[], &["demo"]).expect(0).text();
    assert!(demo.contains("Every packet of this answer went through the filter"), "{demo}");
    fs::copy(object("count"), dir.path().join("count.bpf.o")).unwrap();
    let verdict = run_in(&dir, &[], &["check", "count.bpf.o", "--json"]).expect(0).only("program");
    assert_eq!((&verdict["verdict"], &verdict["tag_computed"]), (&"loaded".into(), &true.into()));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_static_build_resolves_names_by_hosts_and_by_dns() {
    let (dir, netns) = (alone(), Netns::new());
    fs::copy(object("pass"), dir.path().join("pass.bpf.o")).unwrap();
    fs::create_dir(dir.path().join("etc")).unwrap();
    fs::write(dir.path().join("etc/hosts"), "127.0.0.1 here.example\n").unwrap();
    fs::write(dir.path().join("etc/resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
    let names = netns.start(&["python3", "-c", NAME_SERVER]);
    names.says("bound");
    for name in ["here.example", "elsewhere.example"] {
        let target = format!("udp:{name}:9");
        let args = ["load", "pass.bpf.o", "--connect", &target, "--duration", "100ms", "--json"];
        let ran = run_in(&dir, &netns.exec(), &args).expect(0);
        assert!(ran.only("attached").to_string().contains("127.0.0.1:9"), "{}", ran.text());
    }
}
