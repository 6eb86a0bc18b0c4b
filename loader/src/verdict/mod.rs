//! Why the kernel said no, in words: the verifier's log read, and missing privileges named.
//!
//! ```text
//! log ──log──▶ path and last words ──messages──▶ why, how to mend it
//!                      └──code, history──▶ instruction, source line, where the register's value came from
//! ```
//!
//! Source lines come from the program's own records, so they are there even if the kernel took no types. Nothing depends on
//! the log but what is printed.

mod code;
mod history;
mod log;
mod messages;
mod missing;
mod pattern;
mod poison;
mod reason;
mod slots;
mod stack;
mod text;
mod when;

use std::collections::HashSet;

use serde::Serialize;

use crate::plan::{Plan, ProgLoad, SourceLine};
use code::Code;
use history::History;
use log::Log;
use when::Case;

pub use code::Place;
pub use messages::{Message, messages};
pub use poison::meaning as poison;
pub use text::in_docs;
pub use when::When;

/// Why a program was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The decisive line of the log.
    pub reason: String,
    /// The name of the message's row in [`messages()`]; none if it is not known.
    pub message: Option<&'static str>,
    /// What it means.
    pub why: Option<String>,
    /// How to mend the program.
    pub mend: Option<String>,
    /// What else there is to know: of the helper, of the field.
    pub notes: Vec<String>,
    /// The instruction that was refused.
    pub insn: Option<Place>,
    /// Its source line.
    pub source: Option<SourceLine>,
    /// The instructions that made what it works on, in the order of the path.
    pub history: Vec<Event>,
    /// The path there: runs of slots, the first and the last of each. Where it is long, the end of it.
    pub path: Vec<(usize, usize)>,
    /// The kernel's own explanation, since Linux 7.3.
    pub kernel: Option<String>,
    /// Where to read on.
    pub see: String,
    /// The last lines of the log that count.
    #[serde(skip)]
    pub decisive: String,
}

/// An instruction of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The instruction.
    pub insn: Place,
    /// What the register was after it, in the log's words.
    pub state: Option<String>,
    /// Its source line; none for what the compiler put in by itself.
    pub source: Option<SourceLine>,
}

/// Runs of a path that are kept: what a person reads.
const LONGEST_PATH: usize = 16;

/// Explains why a program was refused. `log` is the verifier's.
pub fn explain(plan: &Plan, program: &ProgLoad, log: &str) -> Explanation {
    let (code, log) = (Code::new(plan, program), Log::read(log));
    let path: Vec<_> = log.walked.iter().map(|walked| walked.insn).collect();
    let history = History::follow(&code.insns, &path);
    let reason = reason::find(&Case { code: &code, log: &log, history: &history });
    let insn = reason.place;
    Explanation {
        why: reason.why,
        mend: reason.mend,
        notes: reason.notes,
        insn: insn.and_then(|number| code.place(number)),
        source: insn.and_then(|number| code.nearest_source(number)),
        history: events(&code, &log, &history, reason.register, reason.origin),
        path: runs(&path),
        kernel: (!log.explained.is_empty()).then(|| log.explained.join("\n")),
        see: reason.message.map_or_else(|| "docs/verifier.md".to_owned(), |name| format!("docs/verifier.md#{name}")),
        message: reason.message,
        decisive: decisive(&log, &reason.line),
        reason: reason.line,
    }
}

/// What made the values that the refused instruction works on.
fn events(
    code: &Code<'_>,
    log: &Log<'_>,
    history: &History<'_>,
    register: Option<u8>,
    origin: Option<usize>,
) -> Vec<Event> {
    let registers = match (origin, register) {
        (Some(_), _) => Vec::new(),
        (None, Some(register)) => vec![register],
        (None, None) => history.read_last(),
    };
    let mut steps: Vec<_> = registers.iter().flat_map(|register| history.of(*register)).collect();
    steps.extend(origin.and_then(|origin| log.walked.iter().rposition(|walked| walked.insn == origin)));
    steps.sort_unstable();
    // Of an instruction that a loop repeats the last time counts.
    let mut seen = HashSet::new();
    steps = steps.into_iter().rev().filter(|step| seen.insert(history.slot(*step))).collect();
    steps.reverse();
    let event = |step: usize| {
        let (walked, slot) = (log.walked.get(step)?, history.slot(step)?);
        let written = code.insn(slot).map(|insn| if insn.code & 7 == 5 { 0 } else { insn.dst() })?;
        let state = log::register_state(walked.state, written);
        let state = state.map(|state| format!("R{written}={state}"));
        Some(Event { insn: code.place(slot)?, state, source: code.source(slot) })
    };
    steps.into_iter().filter_map(event).collect()
}

/// A path as runs of slots that follow each other.
fn runs(path: &[usize]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for slot in path {
        match runs.last_mut() {
            // lddw takes two slots.
            Some((_, last)) if *slot > *last && *slot - *last <= 2 => *last = *slot,
            _ => runs.push((*slot, *slot)),
        }
    }
    runs.split_off(runs.len().saturating_sub(LONGEST_PATH))
}

/// The source line, the instruction and the last words, as the log prints them.
fn decisive(log: &Log<'_>, reason: &str) -> String {
    let said = if log.said.is_empty() { vec![reason] } else { log.said.clone() };
    let lines: Vec<_> = log.last_source.into_iter().chain(log.last_insn).chain(said).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
