//! Both versions of a program side by side, as lines of text and as data.
//!
//! ```text
//!    3: (61) r2 = *(u32 *)(r6 +0)          ~    3: (61) r2 = *(u32 *)(r6 +112)
//!       ^ skb->len is `len`, at offset 112 of this kernel's struct sk_buff
//! ```
//!
//! The mark between them is `~` for what was changed, `-` for what was cut out, `+` for what was put between.

use serde_json::{Value as Json, json};

use super::{Alignment, Change, Line, Reasons, Why, printable};
use crate::btf::value::hex;

/// Instructions that belong together, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// As given.
    pub given: &'a [Line],
    /// As xlated.
    pub xlated: &'a [Line],
    /// Why they differ.
    pub why: Option<Why>,
}

/// Both versions of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// Every instruction of both, in order.
    pub rows: Vec<Row<'a>>,
    /// Given slots of jumps that lead elsewhere than the alignment says: see [`Alignment::contradictions`].
    pub contradictions: Vec<usize>,
}

/// The column of the mark, if the given side is narrow, and if it is wide.
const NARROWEST: usize = 32;
const WIDEST: usize = 48;

impl<'a> Comparison<'a> {
    /// Puts the lines of both sides beside one another.
    pub fn new(given: &'a [Line], xlated: &'a [Line], alignment: &Alignment, reasons: &Reasons<'_>) -> Self {
        let row = |pair: &super::Pair| Row {
            given: lines(given, &pair.given),
            xlated: lines(xlated, &pair.xlated),
            why: reasons.why(pair),
        };
        Self { rows: alignment.pairs.iter().map(row).collect(), contradictions: reasons.contradictions(alignment) }
    }

    /// The text, a line each; with the bytes of every instruction if `bytes`.
    pub fn text(&self, bytes: bool) -> Vec<String> {
        let widths = self.rows.iter().flat_map(|row| row.given).map(|line| numbered(line).chars().count());
        let width = widths.max().unwrap_or(0).clamp(NARROWEST, WIDEST);
        self.rows.iter().flat_map(|row| row.text(width, bytes)).collect()
    }

    /// How many changes there are of each kind.
    pub fn counts(&self) -> Vec<(Change, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for why in self.rows.iter().filter_map(|row| row.why.as_ref()) {
            *counts.entry(why.change).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    /// A line of data for each xlated instruction, and one for each that was cut out, in order.
    pub fn json(&self) -> Vec<Json> {
        self.rows.iter().flat_map(Row::json).collect()
    }
}

/// The lines of a stretch of slots.
fn lines<'a>(all: &'a [Line], slots: &std::ops::Range<usize>) -> &'a [Line] {
    let [first, end] = [slots.start, slots.end].map(|slot| all.partition_point(|line| line.at < slot));
    all.get(first..end).unwrap_or_default()
}

fn numbered(line: &Line) -> String {
    format!("{:4}: {}", line.at, printable(&line.text))
}

impl Row<'_> {
    fn mark(&self) -> char {
        match (self.why.is_some(), self.given, self.xlated) {
            (false, ..) => '|',
            (true, _, []) => '-',
            (true, [], _) => '+',
            (true, ..) => '~',
        }
    }

    fn text(&self, width: usize, bytes: bool) -> Vec<String> {
        let mut text = Vec::new();
        // What was put between has no line of source of its own.
        let headed = if self.given.is_empty() { self.xlated } else { self.given };
        for function in headed.iter().filter_map(|line| line.function.as_ref()) {
            text.push(format!("{}:", printable(function)));
        }
        for source in headed.iter().filter_map(|line| line.source.as_ref()) {
            text.push(format!("; {}", printable(&source.text)));
        }
        for n in 0..self.given.len().max(self.xlated.len()) {
            let [given, xlated] = [self.given, self.xlated].map(|side| side.get(n));
            let mut both = |of: &dyn Fn(&Line) -> String| {
                let [given, xlated] = [given, xlated].map(|line| line.map(of).unwrap_or_default());
                text.push(format!("{given:width$} {} {xlated}", self.mark()).trim_end().to_owned());
            };
            both(&numbered);
            if bytes {
                both(&|line| format!("      {}", hex_words(&line.bytes)));
            }
        }
        text.extend(self.why.as_ref().map(|why| format!("      ^ {}", printable(&why.text))));
        text
    }

    fn json(&self) -> Vec<Json> {
        let given: Vec<_> = self.given.iter().map(short).collect();
        let change = self.why.as_ref().map(|why| why.change);
        let why = self.why.as_ref().map(|why| why.text.as_str());
        let line = |n: usize| {
            let given = if n == 0 { given.as_slice() } else { &[] };
            let mut line = self.xlated.get(n).map_or_else(Line::none, Line::json);
            if let Some(fields) = line.as_object_mut() {
                fields.insert("given".to_owned(), json!(given));
                fields.insert("change".to_owned(), json!(change));
                fields.insert("why".to_owned(), json!(why));
            }
            line
        };
        (0..self.xlated.len().max(1)).map(line).collect()
    }
}

fn short(line: &Line) -> Json {
    json!({ "n": line.at, "text": line.text, "bytes": hex(&line.bytes), "source": line.source })
}

impl Line {
    /// As a line of data.
    pub fn json(&self) -> Json {
        json!({
            "kind": "insn", "n": self.at, "text": self.text, "bytes": hex(&self.bytes), "function": self.function,
            "source": self.source,
        })
    }

    /// The same of nothing: what was cut out.
    fn none() -> Json {
        json!({ "kind": "insn", "n": null, "text": null, "bytes": null, "function": null, "source": null })
    }
}

/// Bytes in hex with blanks between, as bpftool writes them.
pub fn hex_words(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
