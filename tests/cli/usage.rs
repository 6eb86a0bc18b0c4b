//! Commands and arguments as such: unknown ones, help, standard input in place of a file, bytes that are no text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::Json;
use crate::support::objects::object;
use crate::support::process::{Ran, run, run_with_input};
use crate::{NOBODY, fails};

#[test]
fn an_object_on_standard_input_is_2_for_load_which_sends_it() {
    fails(2, &["load", "-", "--connect", NOBODY], &["standard input"]);
    fails(2, &["load", "-", "--listen", "udp:127.0.0.1:0"], &["standard input"]);
    // Where nothing is sent, there is nothing in the way.
    let bytes = std::fs::read(object("pass")).unwrap();
    for target in [["--packet", "lo"], ["--attach", "fd:3"]] {
        run_with_input(["load", "-", "--dry-run", target[0], target[1]], &bytes).expect(0);
    }
}

#[test]
fn an_object_on_standard_input_is_read_by_check() {
    let bytes = std::fs::read(object("pass")).unwrap();
    let ran = run_with_input(["check", "-", "--dry-run"], &bytes).expect(0);
    assert!(ran.text().contains("BPF_PROG_LOAD"), "{}", ran.text());
}

#[test]
fn unknown_commands_options_and_verdicts_are_2() {
    fails(2, &["lod"], &["lod"]);
    fails(2, &["check", &object("pass"), "--no-such-option"], &["--no-such-option"]);
    fails(2, &["check"], &["<OBJ>"]);
    let verdict = ["neither keep, trim nor drop", "expected a number"];
    fails(2, &["run", &object("pass"), "icmp", "--expect", "maybe"], &verdict);
    run([] as [&str; 0]).expect(2);
}

#[test]
fn a_usage_error_is_data_however_json_was_asked_for() {
    for flags in [&["-j"][..], &["--json"], &["-p"], &["--pretty"], &["-jv"], &["-vp"], &["-q", "-j"]] {
        let ran = run(flags.iter().copied().chain(["check"])).expect(2);
        let error: Json = serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{flags:?}: {e}"));
        assert_eq!((&error["kind"], &error["code"]), (&"error".into(), &2.into()));
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
}

#[test]
fn help_and_version_are_0_and_go_to_standard_output() {
    let mut asked = vec![vec!["--help"], vec!["-h"], vec!["help"], vec!["--version"], vec!["-V"]];
    for command in ["demo", "check", "load", "explain", "doctor", "attach", "detach", "sockets", "completions"] {
        asked.extend([vec![command, "--help"], vec!["help", command]]);
    }
    for args in asked {
        let ran = run(&args).expect(0);
        assert!(ran.text().contains("minibpf"), "{args:?}: {}", ran.text());
        assert_eq!(ran.stderr, "", "{args:?}");
    }
}

#[test]
fn the_version_is_the_package_s_and_its_long_form_says_how_it_was_built() {
    let short = run(["-V"]).expect(0).text();
    let long = run(["--version"]).expect(0).text();
    assert!(short.starts_with(concat!("minibpf ", env!("CARGO_PKG_VERSION"))) && short.lines().count() == 1, "{short}");
    assert_eq!(long.lines().next(), short.lines().next());
    assert!(
        long.contains("\nfeatures: cli") && long.contains(&format!("\ntarget: {}, ", std::env::consts::ARCH)),
        "{long}"
    );
}

#[test]
fn arguments_that_are_not_utf_8_are_refused_and_do_not_panic() {
    let bytes = |bytes: &'static [u8]| OsStr::from_bytes(bytes);
    let pass = object("pass");
    let pass = OsStr::new(&pass);
    let expect = |code: i32, args: &[&OsStr]| -> Ran { run(args).expect(code) };
    expect(2, &[bytes(b"\xff\xfe")]);
    expect(2, &[bytes(b"check"), bytes(b"--\xff")]);
    expect(2, &[bytes(b"check"), pass, bytes(b"--set"), bytes(b"\xff=1")]);
    expect(2, &[bytes(b"check"), pass, bytes(b"--program"), bytes(b"\xff")]);
    expect(2, &[bytes(b"load"), pass, bytes(b"--connect"), bytes(b"\xff:80")]);
    expect(2, &[bytes(b"load"), pass, bytes(b"--json"), bytes(b"--connect"), bytes(b"\xff:80")]).only("error");
    expect(3, &[bytes(b"check"), bytes(b"/no/such/\xff.o")]);
    expect(3, &[bytes(b"check"), bytes(b"/no/such/\xff.o"), bytes(b"--json")]).only("error");
}
