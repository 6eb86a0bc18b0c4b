//! The table of hooks, as it stands in the docs, and what it says of privileges.

use std::process::Command;

use minibpf::hook::{ALL, Hook};

use crate::support::bpffs::Bpffs;
use crate::support::docs::holds_list;
use crate::support::everybody::{Everybody, nobody_with, root_without};
use crate::support::objects::object;
use crate::support::process::{output_of, run};
use crate::support::text;

#[test]
fn the_table_in_the_docs_is_this_one() {
    let (left_out, offered): (Vec<&Hook>, Vec<&Hook>) = ALL.iter().partition(|hook| hook.left_out.is_some());
    let mut list = "| hook | target | byte 0 | return value | privileges | attach | detach | since | kernel |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n".to_owned();
    for Hook { name, target, call, byte0, returns, privileges, detach, since, kernel, .. } in offered {
        let target = target.replace(", ", "`, `");
        list += &format!(
            "| {name} | `{target}` | {byte0} | {returns} | {privileges} | {call} | {detach} | {since} | {kernel} |\n"
        );
    }
    list += "\nminibpf leaves these out:\n\n| hook | byte 0 | return value | attach | since | kernel | why it is left out |\n| --- | --- | --- | --- | --- | --- | --- |\n";
    for Hook { name, call, byte0, returns, since, kernel, left_out, .. } in left_out {
        let why = left_out.unwrap();
        list += &format!("| {name} | {byte0} | {returns} | {call} | {since} | {kernel} | {why} |\n");
    }
    holds_list("hooks.md", "made by tests/kernel/hooks_table.rs", &list);
}

#[test]
fn explain_prints_a_line_for_each_hook() {
    let lines = run(["explain", "--hooks", "--json"]).expect(0).kind("hook");
    let names: Vec<_> = lines.iter().map(|line| text(line, "hook").to_owned()).collect();
    assert_eq!(names, ALL.map(|hook| hook.name));
    let words = run(["explain", "--hooks"]).expect(0).text();
    assert!(ALL.iter().all(|hook| words.contains(hook.byte0) && words.contains(hook.kernel)), "{words}");
    run(["explain", "--hooks", &object("pass")]).expect(2);
}

/// Every name is short enough to be one, and every row is filled in.
#[test]
fn every_row_of_the_table_is_whole() {
    for hook in ALL {
        let Hook { name, target, call, byte0, returns, privileges, detach, since, kernel, left_out } = hook;
        assert_eq!(target.is_empty(), left_out.is_some(), "{name}");
        for field in [call, byte0, returns, privileges, detach, since, kernel] {
            assert!(!field.is_empty() && !field.contains('|'), "{name}: {field}");
        }
        assert_eq!(ALL.iter().filter(|other| other.name == *name).count(), 1, "{name} stands there twice");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_needs_cap_net_raw_is_4_without_it() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    for target in [
        &["--packet", "lo"][..],
        &["--packet", "lo", "--cooked"],
        &["--listen", "raw:icmp"],
        &["--listen", "raw:icmpv6"],
    ] {
        let args = [&["load", &pass, "--json"], target].concat();
        let error = everybody.run(&root_without("CAP_NET_RAW"), &args).expect(4).only("error");
        assert!(text(&error, "hint").contains("CAP_NET_RAW"), "{target:?}: {error}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_loaded_program_goes_onto_a_socket_of_ones_own_without_privileges() {
    let fs = Bpffs::mount();
    run(["check", &object("pass"), "--pin", &fs.path("x")]).expect(0);
    let everybody = Everybody::new();
    output_of(Command::new("chmod").args(["755", &fs.path(""), &fs.path("x")]));
    output_of(Command::new("chmod").args(["666", &fs.path("x/pass")]));
    let unixgram = format!("unixgram:@minibpf-unprivileged-{}", std::process::id());
    for target in ["127.0.0.1:0", "udp:127.0.0.1:0", "udp:[::1]:0", &unixgram] {
        let args = ["attach", &fs.path("x/pass"), "--listen", target, "--json"];
        let running = everybody.start(&nobody_with(&[]), &args);
        running.line("attached");
        running.interrupt();
        running.end().expect(0);
    }
}
