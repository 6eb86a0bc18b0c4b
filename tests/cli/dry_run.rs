//! `--dry-run`: every step, without a system call.

use std::process::Command;

use crate::support::objects::{COMMITTED, object};
use crate::support::process::{MINIBPF, Running, run};
use crate::support::text;

#[test]
fn a_dry_run_shows_each_patch_before_the_step_that_uses_it() {
    let ran = run(["check", &object("count"), "--dry-run", "--json"]).expect(0);
    let lines = ran.lines();
    let kinds: Vec<_> = lines.iter().map(|line| line["call"].as_str().unwrap_or("patch")).collect();
    assert_eq!(
        kinds[..5],
        ["BPF_BTF_LOAD", "BPF_MAP_CREATE", "BPF_MAP_CREATE", "BPF_MAP_CREATE", "BPF_MAP_UPDATE_ELEM"]
    );
    let (last, patches) = kinds[5..].split_last().unwrap();
    assert_eq!(*last, "BPF_PROG_LOAD");
    assert!(patches.len() > 3 && patches.iter().all(|kind| *kind == "patch"), "{kinds:?}");

    let steps: Vec<_> = ran.kind("step").iter().map(|step| step["n"].as_u64().unwrap()).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5, 6]);
    let insns = text(lines.last().unwrap().get("attr").unwrap(), "insns").to_owned();
    for patch in ran.kind("patch") {
        let at = patch["insn"].as_u64().unwrap() as usize * 16;
        let (before, after) = (text(&patch, "before"), text(&patch, "after"));
        assert_ne!(before, after, "{patch}");
        assert_eq!(&insns[at..at + after.len()], after, "{patch}");
    }
}

#[test]
fn a_dry_run_of_load_goes_on_to_the_socket_in_the_order_that_was_asked_for() {
    let calls = |more: &[&str]| {
        let args = ["load", &object("pass"), "--connect", "localhost:80", "--dry-run", "--json"];
        let steps = run(args.iter().chain(more)).expect(0).kind("step");
        steps.iter().map(|step| text(step, "call").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(calls(&[]), ["BPF_BTF_LOAD", "BPF_PROG_LOAD", "setsockopt", "connect"]);
    assert_eq!(calls(&["--after-connect"]), ["BPF_BTF_LOAD", "BPF_PROG_LOAD", "connect", "setsockopt"]);
}

#[test]
fn a_dry_run_of_load_shows_the_calls_of_its_target() {
    for (target, expected) in [
        (["--listen", "udp:127.0.0.1:0"], &["setsockopt", "bind"][..]),
        (["--listen", "raw:icmp"], &["setsockopt"]),
        (["--packet", "nosuch"], &["setsockopt", "bind"]),
        (["--attach", "pid:1:3"], &["setsockopt"]),
        (["--attach", "reuseport:127.0.0.1:0"], &["setsockopt", "bind"]),
        (["--attach", "fanout:nosuch:1"], &["bind", "setsockopt", "setsockopt"]),
        (["--attach", "tun-filter:nosuch"], &["ioctl"]),
    ] {
        let args = ["load", &object("pass"), "--dry-run", "--json", target[0], target[1]];
        let steps = run(args).expect(0).kind("step");
        let calls: Vec<_> = steps.iter().map(|step| text(step, "call")).filter(|call| !call.contains("BPF_")).collect();
        assert_eq!(calls, expected, "{target:?}");
    }
}

#[test]
fn a_dry_run_is_the_same_every_time() {
    for name in COMMITTED {
        let dry_run = || run(["check", &object(name), "--dry-run", "-v"]).expect(0).stdout;
        assert_eq!(dry_run(), dry_run(), "{name}");
    }
}

#[test]
#[ignore = "needs strace"]
fn a_dry_run_makes_no_bpf_call_and_opens_no_socket() {
    for command in [&["check"][..], &["load", "--connect", "localhost:9"]] {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("strace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=bpf,socket,setsockopt,connect", "-o"]).arg(&log);
        strace.arg(MINIBPF).args(command).args([&object("count"), "--dry-run"]);
        let ran = Running::command(&mut strace).end().expect(0);
        assert!(ran.text().contains("BPF_PROG_LOAD"), "{}", ran.text());
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "{command:?}");
    }
}
