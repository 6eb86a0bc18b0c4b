//! The verifier's messages: what each means, and how to mend the program. One row for each, a file for each topic, and for each row an
//! object in `bpf-src/broken` that gets the message, with a patch that mends it; `docs/verifier.md` is made of these tables.

mod bounds;
mod context;
mod functions;
mod instructions;
mod pointers;
mod registers;
mod rules;
mod stack;
mod ways;

use super::when::When;

/// A message of the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Its name: the object in `bpf-src/broken`, and the place in `docs/verifier.md`.
    pub name: &'static str,
    /// How it begins, with holes; the newest kernel's words first.
    pub texts: &'static [&'static str],
    /// What else must be so: one message can have several reasons.
    pub when: When,
    /// What it means. Holes are filled with what the message says.
    pub why: &'static str,
    /// What to do.
    pub mend: &'static str,
    /// Where people met it: `owner/repository#number` on GitHub.
    pub threads: &'static [&'static str],
}

impl Message {
    const fn met_in(self, threads: &'static [&'static str]) -> Self {
        Self { threads, ..self }
    }
}

const fn row(
    name: &'static str,
    texts: &'static [&'static str],
    when: When,
    why: &'static str,
    mend: &'static str,
) -> Message {
    Message { name, texts, when, why, mend, threads: &[] }
}

/// Why and mend of `helper-type` where all that is missing is a privilege.
pub(super) const NEEDS_PERFMON: (&str, &str) = (
    "{helper} is open to socket filters, but only if the process that loads them has CAP_PERFMON; CAP_BPF is not enough",
    "load it with CAP_PERFMON too, or as root; or do without {helper}",
);

/// The rows by topic. The first that fits counts, so the order matters where several rows have the same text.
const BY_TOPIC: [&[Message]; 9] = [
    pointers::ROWS,
    context::ROWS,
    functions::ROWS,
    ways::ROWS,
    stack::ROWS,
    bounds::ROWS,
    registers::ROWS,
    instructions::ROWS,
    rules::ROWS,
];

/// All rows, in the order in which they are tried.
pub fn messages() -> impl Iterator<Item = &'static Message> {
    BY_TOPIC.into_iter().flatten()
}
