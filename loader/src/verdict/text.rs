//! An explanation as lines of text, each with its label; and the table of messages as a page of the docs.

use std::fmt::Write as _;

use super::pattern::in_general;
use super::{Event, Explanation, Message, messages};
use crate::plan::SourceLine;

impl Explanation {
    /// What there is to say beyond the reason: label and text of each line.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some(source) = &self.source {
            lines.push(("source", source.to_string()));
        }
        if let Some(insn) = &self.insn {
            lines.push(("insn", format!("{}: {}", insn.number, insn.text)));
        }
        let mut above = self.source.as_ref();
        for event in &self.history {
            lines.push(("before", before(event, above)));
            above = event.source.as_ref().or(above);
        }
        if !self.path.is_empty() {
            lines.push(("path", path(&self.path)));
        }
        lines.extend(self.notes.iter().map(|note| ("note", note.clone())));
        let kernel = self.kernel.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty());
        lines.extend(kernel.map(|line| ("kernel", line.to_owned())));
        lines.extend(self.why.iter().map(|why| ("why", why.clone())));
        lines.extend(self.mend.iter().map(|mend| ("mend", mend.clone())));
        lines.push(("see", self.see.clone()));
        lines
    }
}

/// An instruction of the history. Its source line is left out where it is that of the row above, and its file where only the
/// line is another.
fn before(event: &Event, above: Option<&SourceLine>) -> String {
    let mut text = format!("{}: {}", event.insn.number, event.insn.text);
    // Writing to a String does not fail.
    if let Some(state) = &event.state {
        let _ = write!(text, " -> {state}");
    }
    let Some(source) = &event.source else { return text };
    let _ = match above.filter(|above| above.file == source.file) {
        Some(above) if above.line == source.line => Ok(()),
        Some(_) => write!(text, "  (line {}: {})", source.line, source.text),
        None => write!(text, "  ({}:{}: {})", source.file, source.line, source.text),
    };
    text
}

/// `0-7 9-12`.
fn path(runs: &[(usize, usize)]) -> String {
    let run =
        |(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(run).collect::<Vec<_>>().join(" ")
}

/// The table as the docs have it.
pub fn in_docs() -> String {
    let mut page = String::new();
    for Message { name, texts, why, mend, threads, .. } in messages() {
        let texts: Vec<_> = texts.iter().map(|text| format!("`{}`", in_general(text).trim_end())).collect();
        // Writing to a String does not fail.
        let _ = write!(
            page,
            "### {name}\n\n{}\n\n- **Why**: {}.\n- **Mend**: {}.\n- [Object](../bpf-src/broken/{name}.bpf.c), \
             [patch](../bpf-src/broken/{name}.patch){}\n\n",
            texts.join("  \nor "),
            in_general(why),
            in_general(mend),
            threads.iter().map(|thread| link(thread)).collect::<String>(),
        );
    }
    page
}

/// A thread as a link.
fn link(thread: &str) -> String {
    let (repository, number) = thread.split_once('#').unwrap_or((thread, ""));
    format!(", [{thread}](https://github.com/{repository}/issues/{number})")
}
