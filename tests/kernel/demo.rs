//! `minibpf demo`, with and without privileges.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::support::objects::object;
use crate::support::process::{MINIBPF, Ran, Running, copy_file, run};
use crate::support::{number, text};

#[test]
#[ignore = "needs CAP_BPF"]
fn the_demo_shows_a_request_an_answer_and_what_was_counted_on_one_screen() {
    let ran = run(["demo"]).expect(0);
    let told = ran.text();
    for words in ["> GET / HTTP/1.0", "< HTTP/1.0 200 OK", "total_packets = ", "ports (hash, 1 of", "BPF_PROG_LOAD"] {
        assert!(told.contains(words), "no `{words}` in:\n{told}");
    }
    assert!(told.lines().count() < 60, "{} lines", told.lines().count());
    assert!(told.contains("the tag that minibpf computed"), "{told}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_demo_as_json_counts_what_the_server_sent() {
    let ran = run(["demo", "--json"]).expect(0);
    let titles: Vec<_> = ran.kind("stage").iter().map(|stage| number(stage, "n")).collect();
    assert_eq!(titles, [1, 2, 3, 4, 5, 6, 7]);
    let globals = &ran.map(".bss")["entries"][0]["value"];
    let port = &ran.map("ports")["entries"][0]["value"];
    assert_eq!((&globals["total_packets"], &globals["total_bytes"]), (&port["packets"], &port["bytes"]));
    assert!(number(globals, "total_bytes") > number(&ran.only("traffic"), "received"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_privileges_every_command_ends_with_4_and_names_the_missing_one() {
    for args in [
        &["demo"][..],
        &["check", &object("count")],
        &["check", &object("pass"), &object("drop")],
        &["load", &object("http"), "--connect", "127.0.0.1:9"],
    ] {
        let ran = as_nobody(args).expect(4);
        assert!(ran.stderr.contains("CAP_BPF") && ran.stderr.contains("sudo"), "{args:?}: {}", ran.stderr);
        let json: Vec<_> = args.iter().copied().chain(["--json"]).collect();
        let error = as_nobody(&json).expect(4).only("error");
        assert!(text(&error, "message").contains("CAP_BPF"), "{error}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn without_privileges_the_demo_tells_what_it_can() {
    let told = as_nobody(&["demo"]).expect(4).text();
    assert!(told.contains("3. The holes") && told.contains("= -1 EPERM"), "{told}");
}

/// Runs a copy of minibpf that everybody can read, as the user nobody, on copies of the objects.
fn as_nobody(args: &[&str]) -> Ran {
    const NOBODY: u32 = 65534;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = |from: &str, to: &str, mode| {
        let to = dir.path().join(to);
        copy_file(from, &to);
        fs::set_permissions(&to, fs::Permissions::from_mode(mode)).unwrap();
        to.to_str().unwrap().to_owned()
    };
    let binary = copy(MINIBPF, "minibpf", 0o755);
    let args = args.iter().enumerate().map(|(number, arg)| {
        if arg.ends_with(".o") { copy(arg, &format!("{number}.o"), 0o644) } else { (*arg).to_owned() }
    });
    let args: Vec<_> = args.collect();
    Running::command(Command::new(binary).args(args).uid(NOBODY).gid(NOBODY)).end()
}
