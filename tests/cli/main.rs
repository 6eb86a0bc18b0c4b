//! The command line where it needs no kernel: wrong input, its exit code and its message, and what can be shown without a
//! system call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod completions;
mod dry_run;
mod manual;
mod names;
mod objects;
mod output;
mod static_build;
mod systemd;
mod targets;
mod usage;

use support::process::run;
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
