//! What every test of the whole needs: the binary, objects, servers on loopback, and deadlines.

#![allow(dead_code, reason = "each test target includes this module and uses a part of it")]

pub(crate) mod assertions;
pub(crate) mod bpffs;
pub(crate) mod bpftool;
pub(crate) mod docs;
pub(crate) mod everybody;
pub(crate) mod loaded;
pub(crate) mod netns;
pub(crate) mod objects;
pub(crate) mod probe;
pub(crate) mod process;
pub(crate) mod server;

use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) use serde_json::Value as Json;

/// Longer than anything takes on a busy machine: a test that waits this long hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Since a map or program is freed only after an RCU grace period, it outlives its last user for a moment.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Asks until there is an answer.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} for {what}");
        sleep(Duration::from_millis(20));
    }
}

/// The bytes that a hex string stands for.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd number of hex digits: {text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("a hex digit")).collect()
}

/// A string field of a JSON line.
pub(crate) fn text<'a>(line: &'a Json, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_else(|| panic!("no string `{field}` in {line}"))
}

/// A number field of a JSON line.
pub(crate) fn number(line: &Json, field: &str) -> i64 {
    line[field].as_i64().unwrap_or_else(|| panic!("no number `{field}` in {line}"))
}
