//! Data of many lines, written a good deal at a time.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

use super::Output;
use crate::cmd::failure::Failure;

/// Bytes that are gathered before they are written.
const ENOUGH: usize = 64 << 10;

/// Lines for standard output. What is left is written by [`Lines::flush`] alone: an error there must not be lost.
pub(crate) struct Lines<'a> {
    output: &'a Output,
    buffer: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(output: &'a Output) -> Self {
        Self { output, buffer: Vec::with_capacity(ENOUGH + (ENOUGH >> 3)) }
    }

    /// One JSON line. Nothing without `--json`.
    pub(crate) fn data(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        if !self.output.json {
            return Ok(());
        }
        let start = self.buffer.len();
        if self.output.pretty {
            serde_json::to_writer_pretty(&mut self.buffer, line).map_err(std::io::Error::from)?;
        } else {
            serde_json::to_writer(&mut self.buffer, line).map_err(std::io::Error::from)?;
        }
        escape(&mut self.buffer, start);
        self.buffer.push(b'\n');
        self.write_if_enough()
    }

    /// A line of text. Nothing with `--json`.
    pub(crate) fn text(&mut self, line: impl Display) -> Result<(), Failure> {
        if self.output.json {
            return Ok(());
        }
        writeln!(self.buffer, "{line}")?;
        self.write_if_enough()
    }

    fn write_if_enough(&mut self) -> Result<(), Failure> {
        if self.buffer.len() >= ENOUGH { self.flush() } else { Ok(()) }
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&self.buffer)?;
        stdout.flush()?;
        self.buffer.clear();
        Ok(())
    }
}

/// JSON may hold control characters as they are, except the 32 of ASCII; a terminal obeys the others too, and turns text around by some. From
/// `start` on they become `\uNNNN`: outside of strings there are none.
pub(super) fn escape(buffer: &mut Vec<u8>, start: usize) {
    let line = buffer.get(start..).unwrap_or_default();
    if line.iter().all(|&byte| byte < 0x7f) {
        return;
    }
    // serde_json writes UTF-8.
    let text = String::from_utf8_lossy(line).into_owned();
    buffer.truncate(start);
    for c in text.chars() {
        let commands = matches!(c, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if commands {
            buffer.extend(format!("\\u{:04x}", u32::from(c)).bytes());
        } else {
            buffer.extend(c.encode_utf8(&mut [0; 4]).bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_means_the_same() {
        let text = "é \u{9b}31m \u{202e} \u{7f} \u{1b}[m";
        let mut buffer = serde_json::to_vec(text).unwrap();
        escape(&mut buffer, 0);
        assert_eq!(std::str::from_utf8(&buffer).unwrap(), r#""é \u009b31m \u202e \u007f \u001b[m""#);
        assert_eq!(serde_json::from_slice::<String>(&buffer).unwrap(), text);
    }
}
