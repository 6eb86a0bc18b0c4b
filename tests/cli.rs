//! The command line where it needs no kernel: wrong input, its exit code and its message, and what can be shown without a
//! system call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

mod support;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use support::objects::{COMMITTED, Made, compile, object};
use support::process::{MINIBPF, Ran, Running, run, run_with_input};
use support::text;

/// A target that is never called: whatever is wrong is found before.
const NOBODY: &str = "127.0.0.1:9";

const TWO_PROGRAMS: &str = "
    SEC(\"socket\") int first(struct __sk_buff *skb) { return skb->len; }
    SEC(\"socket\") int second(struct __sk_buff *skb) { return 0; }";

/// Runs a command that must fail, with and without `--json`, and checks that both say the same: exit code, one line
/// `error: …` on standard error, and with `--json` as last line of standard output the same as data.
#[track_caller]
fn fails(code: i32, args: &[&str], says: &[&str]) {
    let plain = run(args).expect(code);
    let first = plain.stderr.lines().next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or_else(|| panic!("no `error: …` in {}", plain.stderr));
    let json = run(args.iter().copied().chain(["--json"])).expect(code);
    assert!(json.stderr.starts_with("error: "), "{}", json.stderr);
    let errors = json.kind("error");
    assert_eq!(errors.len(), 1, "{}", json.text());
    assert_eq!(json.lines().last(), errors.first(), "the error is the last line");
    assert_eq!(errors[0]["code"], code);
    for words in says {
        assert!(text(&errors[0], "message").contains(words), "no `{words}` in {}", errors[0]);
        assert!(plain.stderr.contains(words), "no `{words}` in {}", plain.stderr);
    }
    assert!(text(&errors[0], "message").starts_with(message.trim_end_matches(':')), "{message} / {}", errors[0]);
}

/// As [`fails`], for a file that cannot be read as an object: all commands agree.
#[track_caller]
fn unreadable(path: &str, says: &[&str]) {
    let says: Vec<_> = says.iter().copied().chain([path]).collect();
    fails(3, &["check", path], &says);
    fails(3, &["explain", path], &says);
    fails(3, &["load", path, "--connect", NOBODY], &says);
}

#[test]
fn a_stripped_object_gets_one_hint_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let stripped = dir.path().join("stripped.o");
    let strip = Command::new("llvm-strip-14").arg(object("pass")).arg("-o").arg(&stripped).status().unwrap();
    assert!(strip.success());
    let error = run(["explain", "--json", stripped.to_str().unwrap()]).expect(3).only("error");
    let hint = "take the object as clang wrote it; llvm-strip -g takes debug information alone and leaves the symbols";
    assert!(text(&error, "message").ends_with("symbol table (.symtab): missing: was the object stripped?"), "{error}");
    assert_eq!(text(&error, "hint"), hint);
}

#[test]
fn an_error_leads_to_the_place_in_the_book_that_explains_it() {
    let ran = run(["check", "--json", "bpf-src/skb.h"]).expect(3);
    assert!(ran.stderr.ends_with("\n  see: docs/errors.md#3-the-object\n"), "{}", ran.stderr);
    assert_eq!(text(ran.kind("error").last().unwrap(), "see"), "docs/errors.md#3-the-object");
    let made = compile("int elsewhere(void); SEC(\"socket\") int calls(struct __sk_buff *skb) { return elsewhere(); }");
    let ran = run(["load", "--dry-run", "--json", &made.path(), "--connect", NOBODY]).expect(3);
    assert_eq!(text(ran.kind("error").last().unwrap(), "see"), "docs/ch17-externs.md");
}

#[test]
fn a_file_that_does_not_exist_is_3() {
    unreadable("/no/such/filter.o", &["No such file"]);
}

#[test]
fn a_text_file_is_3() {
    unreadable(&Made::of(b"int main(void) { return 0; }\n").path(), &["not an ELF file"]);
}

#[test]
fn a_program_of_this_machine_is_3() {
    unreadable(MINIBPF, &["not a BPF object", "e_machine"]);
}

#[test]
fn a_directory_is_3() {
    unreadable("/", &[]);
}

#[test]
fn an_empty_file_is_3() {
    unreadable(&Made::of(b"").path(), &["not an ELF file", "empty"]);
}

#[test]
fn a_truncated_object_is_3() {
    let whole = std::fs::read(object("count")).unwrap();
    for length in [3, 4, 5, 6, 63, 64, 65, whole.len() / 2, whole.len() - 1] {
        unreadable(&Made::of(&whole[..length]).path(), &[]);
    }
}

#[test]
fn an_object_without_a_socket_filter_is_3_and_says_where_its_code_is() {
    let made = compile("SEC(\"xdp\") int frames(void *ctx) { return 2; }");
    unreadable(&made.path(), &["no socket filter", "`xdp`"]);
}

#[test]
fn an_unknown_program_is_2_and_lists_those_there_are() {
    let made = compile(TWO_PROGRAMS);
    let says = ["no program `third`", "first, second"];
    fails(2, &["check", &made.path(), "--program", "third"], &says);
    fails(2, &["load", &made.path(), "--program", "third", "--connect", NOBODY], &says);
}

#[test]
fn load_of_several_programs_without_a_choice_is_2_and_lists_them() {
    let made = compile(TWO_PROGRAMS);
    fails(2, &["load", &made.path(), "--connect", NOBODY], &["--program", "first, second"]);
    // With the choice made, the same object is fine.
    let ran = run(["load", &made.path(), "--connect", NOBODY, "--program", "second", "--dry-run", "--json"]).expect(0);
    assert!(ran.text().contains("\"prog_name\":\"second\""), "{}", ran.text());
    assert!(!ran.text().contains("\"prog_name\":\"first\""), "{}", ran.text());
}

#[test]
fn load_of_a_program_that_is_only_loaded_by_name_is_2() {
    let made = compile("SEC(\"?socket\") int shy(struct __sk_buff *skb) { return skb->len; }");
    fails(2, &["load", &made.path(), "--connect", NOBODY], &["--program", "shy"]);
}

#[test]
fn an_unknown_variable_is_2_and_lists_those_there_are() {
    let says = ["`shorter_than`", "longer_than", "dropped"];
    fails(2, &["check", &object("drop"), "--set", "shorter_than=1"], &says);
    fails(2, &["load", &object("drop"), "--set", "shorter_than=1", "--connect", NOBODY], &says);
}

#[test]
fn a_value_out_of_range_is_2_and_says_the_range() {
    for value in ["4294967296", "-1", "0x100000000"] {
        let set = format!("longer_than={value}");
        fails(2, &["check", &object("drop"), "--set", &set], &["`longer_than`", value, "0 to 4294967295"]);
    }
    fails(2, &["check", &object("drop"), "--set", "longer_than=many"], &["`many`", "a number"]);
    fails(2, &["check", &object("drop"), "--set", "longer_than"], &["VAR=VALUE"]);
}

#[test]
fn an_unknown_map_is_2_and_lists_those_there_are() {
    let says = ["no map `port`", ".data, .bss, ports"];
    fails(2, &["check", &object("count"), "--map", "port=/nowhere"], &says);
    fails(2, &["load", &object("count"), "--map", "port=/nowhere", "--connect", NOBODY], &says);
    fails(2, &["check", &object("pass"), "--map", "ports=/nowhere"], &["it has none"]);
    for malformed in ["ports", "ports=", "=/nowhere"] {
        fails(2, &["check", &object("count"), "--map", malformed], &["NAME=PATH"]);
    }
}

#[test]
fn a_directory_for_pins_that_is_not_on_a_bpffs_is_2_and_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    for (place, says) in [("", "is not on a bpffs"), ("new", "is not on a bpffs"), ("new/deeper", "No such file")] {
        let place = dir.path().join(place);
        let place = place.to_str().unwrap();
        fails(2, &["check", &object("pass"), "--pin", place], &["--pin", says]);
        fails(2, &["check", &object("pass"), "--pin", place, "--dry-run"], &["--pin", says]);
        fails(2, &["load", &object("pass"), "--pin", place, "--connect", NOBODY], &["--pin", says]);
    }
    let place = dir.path().to_str().unwrap();
    let hint = format!("hint: mount -t bpf bpf {place}");
    let ran = run(["check", &object("pass"), "--pin", place]).expect(2);
    assert!(ran.stderr.contains(&hint), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(place).unwrap().count(), 0);
}

#[test]
fn setting_a_variable_of_a_reused_map_is_2() {
    let args = ["check", &object("drop"), "--map", ".rodata=/nowhere", "--set", "longer_than=9"];
    fails(2, &args, &["`longer_than`", "map `.rodata` is reused"]);
}

#[test]
fn counting_the_events_of_a_filter_that_has_none_is_2() {
    fails(2, &["load", &object("pass"), "--connect", NOBODY, "--count", "1"], &["--count", "ring buffer"]);
}

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
fn a_malformed_target_is_2() {
    for (target, says) in [
        ("127.0.0.1", "HOST:PORT"),
        ("::1:80", "[::1]:80"),
        (":80", "host is missing"),
        ("localhost:http", "`http`"),
        ("localhost:65536", "`65536`"),
        ("localhost:", "``"),
        ("localhost:0", "port 0"),
    ] {
        fails(2, &["load", &object("pass"), "--connect", target], &["--connect", says]);
    }
    for (target, says) in [
        ("udp:localhost", "HOST:PORT"),
        ("unix:/x", "unixgram:PATH"),
        ("unixgram:", "path"),
        ("raw:nosuch", "`nosuch`"),
        ("raw:0", "protocol 0"),
        ("raw:255", "only sends"),
    ] {
        fails(2, &["load", &object("pass"), "--listen", target], &["--listen", says]);
    }
    fails(2, &["load", &object("pass")], &["--connect", "--listen", "--packet"]);
}

#[test]
fn targets_and_options_that_do_not_go_together_are_2() {
    let fails = |args: &[&str], says: &str| {
        let object = object("pass");
        let args: Vec<_> = ["load", object.as_str()].iter().chain(args).copied().collect();
        fails(2, &args, &[says]);
    };
    fails(&["--connect", NOBODY, "--packet", "lo"], "--packet");
    fails(&["--listen", NOBODY, "--cooked"], "--packet");
    fails(&["--connect", "udp:127.0.0.1:9", "--after-connect"], "TCP");
    fails(&["--listen", NOBODY, "--count", "1"], "ring buffer");
    fails(&["--listen", NOBODY, "--replace"], "--attach");
    fails(&["--attach", "fd:x"], "`x`");
    fails(&["--attach", "reuseport:80"], "HOST:PORT");
    fails(&["--attach", "fanout:lo"], "GROUP");
    fails(&["--attach", "reuseport:127.0.0.1:0", "--lock"], "--lock");
    fails(&["--attach", "reuseport:127.0.0.1:0", "--sockets", "0"], "--sockets");
    fails(&["--attach", "reuseport:127.0.0.1:0", "--count", "1"], "ring buffer");
    fails(&["--attach", "fd:3", "--sockets", "2"], "--sockets");
    fails(&["--attach", "pid:1:tcp:localhost:80"], "in numbers");
    fails(&["--attach", "fd:3", "--count", "1"], "ring buffer");
    fails(&["--packet", "lo", "--output", "/dev/null"], "--output");
}

#[test]
fn a_malformed_duration_is_2() {
    for option in ["--duration", "--timeout"] {
        for value in ["5", "s", "5h", "-1s", "1e3s", ""] {
            let value = format!("{option}={value}");
            fails(2, &["load", &object("pass"), "--connect", NOBODY, &value], &[option]);
        }
    }
}

#[test]
fn unknown_commands_and_options_are_2() {
    fails(2, &["lod"], &["lod"]);
    fails(2, &["check", &object("pass"), "--no-such-option"], &["--no-such-option"]);
    fails(2, &["check"], &["<OBJ>"]);
    run([] as [&str; 0]).expect(2);
}

#[test]
fn a_usage_error_is_data_however_json_was_asked_for() {
    for flags in [&["-j"][..], &["--json"], &["-p"], &["--pretty"], &["-jv"], &["-vp"], &["-q", "-j"]] {
        let ran = run(flags.iter().copied().chain(["check"])).expect(2);
        let error: support::Json = serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{flags:?}: {e}"));
        assert_eq!((&error["kind"], &error["code"]), (&"error".into(), &2.into()));
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
}

#[test]
fn help_and_version_are_0_and_go_to_standard_output() {
    let mut asked = vec![vec!["--help"], vec!["-h"], vec!["help"], vec!["--version"], vec!["-V"]];
    for command in ["demo", "check", "load", "explain", "doctor", "attach", "detach", "sockets"] {
        asked.extend([vec![command, "--help"], vec!["help", command]]);
    }
    for args in asked {
        let ran = run(&args).expect(0);
        assert!(ran.text().contains("minibpf"), "{args:?}: {}", ran.text());
        assert_eq!(ran.stderr, "", "{args:?}");
    }
}

#[test]
fn doctor_needs_no_privileges_and_says_the_same_as_text_and_as_data() {
    let (plain, json) = (run(["doctor"]), run(["doctor", "--json"]));
    assert_eq!(plain.code, json.code);
    assert!(matches!(plain.code, Some(0 | 1 | 4)), "{}", plain.stderr);
    let checks = json.kind("check");
    assert!(checks.len() > 15, "{}", json.text());
    for check in checks {
        for field in ["name", "found", "means"] {
            assert!(plain.text().contains(text(&check, field)), "{check}");
        }
        if let Some(remedy) = check["remedy"].as_str() {
            assert!(check["ok"] == false && plain.text().contains(remedy), "{check}");
        }
    }
    fails(2, &["doctor", "filter.o"], &["filter.o"]);
}

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

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let whole = object("count");
    for args in [
        &["check", &whole, "--dry-run", "-v"][..],
        &["check", &whole, "--dry-run", "--json"],
        &["load", &whole, "--dry-run", "--connect", NOBODY],
        &["explain", &whole, "--bytes"],
        &["explain", &whole, "--json"],
        &["check", "/no/such/file", "--json"],
        &["check", "--json"],
        &["--help"],
    ] {
        let mut child = Command::new(MINIBPF).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some(), "{args:?}: a signal ended it");
        assert!(!stderr.contains("panicked") && !stderr.contains("roken pipe"), "{args:?}: {stderr}");
    }
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

#[test]
fn colour_appears_only_where_it_is_asked_for() {
    let stderr = |args: &[&str]| run(["check", "/no/such/file"].iter().chain(args)).expect(3).stderr;
    assert!(stderr(&["--color", "always"]).contains('\u{1b}'));
    assert!(!stderr(&["--color", "never"]).contains('\u{1b}'));
    assert!(!stderr(&[]).contains('\u{1b}'), "standard error is no terminal here");
}

#[test]
fn indented_json_says_the_same_as_json_lines() {
    let lines = run(["check", &object("count"), "--dry-run", "--json"]).expect(0).lines();
    let pretty = run(["check", &object("count"), "--dry-run", "--pretty"]).expect(0);
    let values = serde_json::Deserializer::from_slice(&pretty.stdout).into_iter::<support::Json>();
    assert_eq!(values.collect::<Result<Vec<_>, _>>().unwrap(), lines);
}

#[test]
fn a_file_without_an_end_is_no_object() {
    let ran = run(["explain", "/dev/zero"]).expect(3);
    assert!(ran.stderr.contains("/dev/zero: not an ELF file: it starts with 00 00 00 00"), "{}", ran.stderr);
}
