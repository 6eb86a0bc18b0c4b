//! Lines, tables and bytes.

use super::Look;

/// One line of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The title of a stage.
    Heading(String),
    /// Anything else.
    Text(String),
}

/// Columns that words need at least: on a terminal with fewer, lines are left as they are.
const MIN_CELL: usize = 24;
/// Bytes in a line of a dump.
const PER_LINE: usize = 16;

/// A growing text.
pub(super) struct Page {
    look: Look,
    lines: Vec<Line>,
}

impl Page {
    pub(super) fn new(look: Look) -> Self {
        Self { look, lines: Vec::new() }
    }

    pub(super) fn look(&self) -> Look {
        self.look
    }

    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    /// The title of a stage, and what it teaches.
    pub(super) fn stage(&mut self, title: &str, lesson: &[&str]) {
        if !self.lines.is_empty() {
            self.lines.push(Line::Text(String::new()));
        }
        self.lines.push(Line::Heading(title.to_owned()));
        let lesson = if self.look.lessons { lesson } else { &[] };
        for sentence in lesson {
            self.text(2, sentence);
        }
    }

    /// A line; one that is too long goes on below, two columns further in.
    pub(super) fn text(&mut self, indent: usize, text: &str) {
        self.row(indent, indent + 2, "", text);
    }

    /// Rows of cells in columns as wide as they need to be; the last column takes the rest.
    pub(super) fn table(&mut self, indent: usize, rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = Vec::new();
        for row in rows {
            let cells = row.iter().take(row.len().saturating_sub(1)).map(|cell| printable(cell).chars().count());
            for (column, width) in cells.enumerate() {
                match widths.get_mut(column) {
                    Some(widest) => *widest = width.max(*widest),
                    None => widths.push(width),
                }
            }
        }
        for row in rows {
            let Some((last, cells)) = row.split_last() else { continue };
            let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{:<width$}  ", printable(cell)));
            let start: String = padded.collect();
            self.row(indent, indent + start.chars().count(), &start, last);
        }
    }

    /// `start`, and then words that may take several lines, each of which begins in column `hang`. Where the terminal is too
    /// narrow for that, the words stand on lines of their own.
    fn row(&mut self, indent: usize, hang: usize, start: &str, words: &str) {
        let (words, start) = (printable(words), format!("{}{start}", " ".repeat(indent)));
        let mut line = format!("{start}{words}");
        let width = self.look.width.filter(|width| *width >= indent + MIN_CELL).unwrap_or(usize::MAX);
        let mut hang = hang;
        if line.chars().count() > width && width.saturating_sub(hang) < MIN_CELL {
            hang = indent + 4;
            self.push(&start);
            line = format!("{}{words}", " ".repeat(hang));
        }
        while line.chars().count() > width {
            let Some(end) = break_before(&line, width, hang) else { break };
            let rest = line.split_off(end);
            self.push(&line);
            line = format!("{}{}", " ".repeat(hang), rest.trim_start());
        }
        self.push(&line);
    }

    fn push(&mut self, line: &str) {
        self.lines.push(Line::Text(line.trim_end().to_owned()));
    }

    /// Bytes in hex and as characters; their offsets count from `start`.
    pub(super) fn dump(&mut self, indent: usize, start: u64, bytes: &[u8]) {
        for (number, row) in bytes.chunks(PER_LINE).enumerate() {
            let at = start.saturating_add((number * PER_LINE) as u64);
            let shown = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
            let characters: String = row.iter().map(shown).collect();
            let line = format!("{}{at:04x}  {:<47}  {characters}", " ".repeat(indent), spaced(row));
            self.lines.push(Line::Text(line));
        }
    }
}

/// Where to break a line that is longer than `width`: at its last space within, but behind column `from`.
fn break_before(line: &str, width: usize, from: usize) -> Option<usize> {
    let within = line.char_indices().take(width.saturating_add(1)).skip(from + 1);
    within.filter(|(_, c)| *c == ' ').map(|(at, _)| at).last()
}

/// `18 01 00 00`.
pub(super) fn spaced(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

/// Names and source lines come from the object: nothing in them may move the cursor or turn the direction of writing.
fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => " ".to_owned(),
        // Not for what is escaped in a string only.
        '"' | '\'' | '\\' => c.to_string(),
        c => c.escape_debug().to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: Option<usize>, write: impl FnOnce(&mut Page)) -> Vec<String> {
        let mut page = Page::new(Look { width, ..Look::default() });
        write(&mut page);
        let text = |line| match line {
            Line::Heading(text) | Line::Text(text) => text,
        };
        page.into_lines().into_iter().map(text).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "b", "c"], ["long", "x", "last"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(lines(None, |page| page.table(2, &rows)), ["  a     b  c", "  long  x  last"]);
    }

    #[test]
    fn the_last_cell_goes_on_below_itself_where_the_terminal_ends() {
        let row = vec!["name".to_owned(), "one two three four five six seven".to_owned()];
        let expected = ["name  one two three four five", "      six seven"];
        assert_eq!(lines(Some(30), |page| page.table(0, &[row])), expected);
    }

    #[test]
    fn where_the_last_cell_would_be_too_narrow_its_words_stand_on_lines_of_their_own() {
        let row = vec!["a name of twenty chars".to_owned(), "one two three four five six seven".to_owned()];
        let expected = ["a name of twenty chars", "    one two three four five six", "    seven"];
        assert_eq!(lines(Some(32), |page| page.table(0, &[row])), expected);
    }

    #[test]
    fn a_word_longer_than_the_line_and_a_very_narrow_terminal_are_left_as_they_are() {
        let word = "x".repeat(50);
        assert_eq!(lines(Some(30), |page| page.text(0, &word)), std::slice::from_ref(&word));
        let words = "one two three four five six seven";
        assert_eq!(lines(Some(8), |page| page.text(0, words)), [words]);
    }

    #[test]
    fn what_an_object_says_cannot_move_the_cursor_or_turn_the_text_around() {
        assert_eq!(lines(None, |page| page.text(0, "a\u{1b}[2Jb\tc\nd")), ["a\\u{1b}[2Jb c\\nd"]);
        assert_eq!(lines(None, |page| page.text(0, "\"größe\" \u{202e}x")), ["\"größe\" \\u{202e}x"]);
    }

    #[test]
    fn bytes_are_shown_with_their_offset_and_as_characters() {
        assert_eq!(
            lines(None, |page| page.dump(0, 0x40, b"GPL\0")),
            ["0040  47 50 4c 00                                      GPL."]
        );
    }
}
