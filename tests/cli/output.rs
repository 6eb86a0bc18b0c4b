//! What goes to the streams: the same as text and as data, colour only where it is asked for, and no noise when nobody reads.

use std::process::{Command, Stdio};

use crate::support::objects::{compile, object};
use crate::support::process::{MINIBPF, run};
use crate::support::{Json, text};
use crate::{NOBODY, fails};

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
fn quiet_leaves_out_what_a_lint_advises_but_not_from_the_data() {
    let made = compile("SEC(\"socket\") int one(struct __sk_buff *skb) { return 1; }");
    let check = ["check", &made.path(), "--dry-run"];
    assert!(run(check).expect(0).stderr.contains("warning: program `one`"));
    assert_eq!(run(check.iter().chain(&["-q"])).expect(0).stderr, "");
    let data = run(check.iter().chain(&["-q", "--json"])).expect(0);
    assert_eq!((data.kind("lint").len(), data.stderr.as_str()), (1, ""));
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
    let values = serde_json::Deserializer::from_slice(&pretty.stdout).into_iter::<Json>();
    assert_eq!(values.collect::<Result<Vec<_>, _>>().unwrap(), lines);
}
