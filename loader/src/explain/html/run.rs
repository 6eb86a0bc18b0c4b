//! What a run has recorded: the JSON Lines of `load`, `check` and `dump`, read as what they are, a file from anywhere.

use std::collections::VecDeque;

use serde_json::Value as Json;
use thiserror::Error;

use super::shape;

/// Bytes: a run that is larger is refused.
pub const LARGEST_RUN: u64 = 16 << 20;

/// Lines that a page can show; of more, the first and the last.
const MOST_LINES: usize = 4000;

/// Values of other tools that a page can show: the first.
const MOST_REFEREES: usize = 4000;

/// Letters of an argument.
const LONGEST_ARGUMENT: usize = 64;

/// The kinds of lines that the page shows.
const KINDS: [&str; 11] =
    ["syscall", "program", "loaded", "attached", "event", "map", "summary", "warning", "error", "packet", "insn"];

/// The kind of a line that says what another tool has said.
const REFEREE: &str = "referee";

/// A recorded run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// The lines of the kinds that are known, in order.
    pub lines: Vec<Json>,
    /// How many lines were left out in the middle, since there are too many.
    pub left_out: usize,
    /// What other tools have said of the same file and the same run: lines of kind `referee`.
    pub referees: Vec<Json>,
}

/// A run that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RunError {
    /// It is too large.
    #[error("more than {} MiB: a page cannot show that much; record fewer events with --count or --duration", LARGEST_RUN >> 20)]
    TooLarge,
    /// A line is not JSON.
    #[error(
        "line {line}, column {column}: not JSON: {what}; expected a line of `minibpf load --json` or `check --json`"
    )]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The byte of the line, from 1.
        column: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A line is JSON, but not an object with a kind.
    #[error("line {line}: {found}; expected an object with a \"kind\", as `minibpf load --json` writes them")]
    NoKind {
        /// The line, from 1.
        line: usize,
        /// What it is.
        found: &'static str,
    },
    /// A line has a field that is not what it should be.
    #[error("line {line}, column {column}: {what}: no line of a run has that")]
    Shape {
        /// The line, from 1.
        line: usize,
        /// The byte of the line, from 1.
        column: usize,
        /// What is wrong with it.
        what: String,
    },
    /// There is no line that the page can show.
    #[error("no line of a kind that a report shows; record one with: minibpf check OBJ --trace --json > run.json")]
    Nothing,
}

impl Run {
    /// Reads JSON Lines. `object` is the name of the file that is reported: of a check of several objects only its lines count.
    ///
    /// # Errors
    ///
    /// If the text is too large, a line is no JSON object with a kind, or no line is of a kind that the page shows.
    pub fn read(text: &[u8], object: &str) -> Result<Self, RunError> {
        if text.len() as u64 > LARGEST_RUN {
            return Err(RunError::TooLarge);
        }
        let mut first = Vec::new();
        let mut last = VecDeque::new();
        let mut left_out = 0;
        let mut referees = Vec::new();
        let lines = text.split(|byte| *byte == b'\n').enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
            let Some(line) = read_line(index + 1, line, object)? else { continue };
            if line.get("kind").is_some_and(|kind| kind == REFEREE) {
                if referees.len() < MOST_REFEREES {
                    referees.push(line);
                }
                continue;
            }
            if first.len() < MOST_LINES / 2 {
                first.push(line);
                continue;
            }
            last.push_back(line);
            if last.len() > MOST_LINES / 2 {
                last.pop_front();
                left_out += 1;
            }
        }
        first.extend(last);
        if first.is_empty() && referees.is_empty() {
            return Err(RunError::Nothing);
        }
        Ok(Self { lines: first, left_out, referees })
    }
}

/// One line, if the page shows it.
fn read_line(line: usize, text: &[u8], object: &str) -> Result<Option<Json>, RunError> {
    let mut value: Json = serde_json::from_slice(text).map_err(|error| RunError::NotJson {
        line,
        column: error.column(),
        what: without_place(&error),
    })?;
    let found = match &value {
        Json::Object(_) => "an object without a \"kind\"",
        Json::Array(_) => "a list",
        _ => "a plain value",
    };
    let kind = value.get("kind").and_then(Json::as_str).ok_or(RunError::NoKind { line, found })?.to_owned();
    let is_of_another = |path: &str| path.rsplit('/').next() != Some(object);
    let is_foreign = value.get("obj").and_then(Json::as_str).is_some_and(is_of_another);
    let is_referee = kind == REFEREE;
    if is_foreign || !(is_referee || KINDS.contains(&kind.as_str())) {
        return Ok(None);
    }
    let shape = if is_referee {
        serde_json::from_slice::<shape::Referee>(text).map(drop)
    } else {
        serde_json::from_slice::<shape::Line>(text).map(drop)
    };
    shape.map_err(|error| RunError::Shape { line, column: error.column(), what: without_place(&error) })?;
    if kind == "syscall" {
        shorten(value.get_mut("attr"));
    }
    Ok(Some(value))
}

/// What a call passed is known from the plan: of long strings the beginning will do.
fn shorten(attr: Option<&mut Json>) {
    for field in attr.and_then(Json::as_object_mut).into_iter().flat_map(|attr| attr.values_mut()) {
        if let Json::String(text) = field
            && let Some((end, _)) = text.char_indices().nth(LONGEST_ARGUMENT)
        {
            text.truncate(end);
            text.push('…');
        }
    }
}

/// `serde_json` counts lines within the text it was given, which is one line.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
