//! What the page counts on in a line of a run: the fields that it takes apart, and of what type they are. Everything else is only shown.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// A line, of whatever kind. A field may be missing or null.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be sure of the types; the page gets the line as it is")]
pub(super) struct Line {
    name: Option<String>,
    why: Option<String>,
    call: Option<String>,
    errno: Option<String>,
    verdict: Option<String>,
    hook: Option<String>,
    tag: Option<String>,
    log: Option<String>,
    text: Option<String>,
    bytes: Option<Json>,
    ret: Option<i64>,
    insns: Option<u64>,
    bytes_xlated: Option<u64>,
    bytes_jited: Option<u64>,
    verified_insns: Option<u64>,
    attr: Option<Map<String, Json>>,
    maps: Option<Vec<MapLine>>,
    given: Option<Vec<Given>>,
    explanation: Option<Explanation>,
}

/// What another tool has said: a line of kind `referee`.
#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
pub(super) struct Referee {
    tool: String,
    what: String,
    value: String,
    command: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct MapLine {
    name: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Given {
    n: u64,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Explanation {
    reason: String,
    why: Option<String>,
    mend: Option<String>,
    notes: Option<Vec<String>>,
    insn: Option<Insn>,
    source: Option<Source>,
    history: Option<Vec<Event>>,
    path: Option<Vec<(u64, u64)>>,
    kernel: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Event {
    insn: Insn,
    state: Option<String>,
    source: Option<Source>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Insn {
    number: u64,
    text: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Source {
    line: u64,
    text: String,
}
