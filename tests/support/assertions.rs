//! Scripts of `minibpf run` commands, each of which fails where a filter does not do what it is to do.

use std::process::Command;

use super::objects::bpf_src;
use super::process::{output_of, path};

/// Runs a script of `tests/run` from the top of the repository, with minibpf on the PATH; the first command that fails fails the test.
#[track_caller]
pub(crate) fn hold(script: &str) {
    let root = bpf_src().join("..");
    let text = std::fs::read_to_string(root.join(script)).unwrap();
    // Each command must say what it expects, and be able to fail.
    let whole = text.replace("\\\n", " ");
    let commands: Vec<&str> = whole.lines().filter(|line| line.starts_with("minibpf run")).collect();
    assert!(!commands.is_empty(), "{script} has no command");
    assert!(commands.iter().all(|command| command.contains("--expect")), "{commands:?}");

    output_of(Command::new("bash").args(["-e", script]).current_dir(&root).env("PATH", path()));
}
