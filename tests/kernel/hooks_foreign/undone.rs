//! What was on the socket before is not replaced unasked, and comes back.

use std::process::Command;

use super::{Server, hint};
use crate::support::bpffs::Bpffs;
use crate::support::bpftool::{bpftool, wait_until_gone};
use crate::support::objects::{keeping, object};
use crate::support::probe::{Probe, end};
use crate::support::process::{MINIBPF, Running, run};
use crate::support::{Json, number, text};

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
fn a_load_that_has_locked_its_filter_does_not_say_that_it_is_off() {
    for (lock, detached, says) in [
        (&["--lock"][..], false, "ended, and the filter stays: duration over"),
        (&[][..], true, "detached: duration over"),
    ] {
        for json in [&["--json"][..], &[][..]] {
            let server = Server::datagrams(None);
            let at = format!("pid:{}:udp:127.0.0.1:{}", server.pid(), server.port);
            let pass = object("pass");
            let args = ["load", &pass, "--attach", &at, "--duration", "10ms"];
            let ran = run(args.iter().chain(lock).chain(json)).expect(0);
            match json {
                [] => assert_eq!(
                    ran.stderr.lines().find(|line| line.contains("duration over")),
                    Some(says),
                    "{}",
                    ran.stderr
                ),
                _ => assert_eq!(ran.summary()["detached"], detached),
            }
            let fd = run(["sockets", &server.pid().to_string(), "--json"]).expect(0).only("socket");
            assert_eq!(fd["filter"], if detached { "none" } else { "ebpf" });
        }
    }
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
