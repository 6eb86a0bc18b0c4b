//! Many lines, written a good deal at a time.

use std::fmt::Display;

use serde::Serialize;

use super::{Output, escape, stream};
use crate::cmd::failure::Failure;

/// Bytes that are gathered before they are written.
const ENOUGH: usize = 64 << 10;

/// Lines that wait to be written: JSON with `--json`, else text. What is left is written by [`Lines::flush`] alone: an error there must not be lost.
pub(crate) struct Lines<'a> {
    output: &'a Output,
    /// Whether the text is narration, for standard error, and less with `--quiet`.
    is_narration: bool,
    buffer: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Of data.
    pub(crate) fn new(output: &'a Output) -> Self {
        Self { output, is_narration: false, buffer: Vec::new() }
    }

    /// Of what is narration for people, and data as JSON.
    pub(crate) fn of_narration(output: &'a Output) -> Self {
        Self { is_narration: true, ..Self::new(output) }
    }

    /// Whether it takes JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.output.json
    }

    /// Adds a JSON line. Nothing without `--json`.
    pub(crate) fn add_data(&mut self, line: &impl Serialize) {
        if !self.output.json {
            return;
        }
        let start = self.buffer.len();
        let written = if self.output.pretty {
            serde_json::to_writer_pretty(&mut self.buffer, line)
        } else {
            serde_json::to_writer(&mut self.buffer, line)
        };
        // Memory takes everything, and the lines are plain structs.
        debug_assert!(written.is_ok());
        escape::json(&mut self.buffer, start);
        self.buffer.push(b'\n');
    }

    /// Adds a line of text. Nothing with `--json`.
    pub(crate) fn add_text(&mut self, line: impl Display) {
        let is_silent = self.is_narration && self.output.quiet;
        if !self.output.json && !is_silent {
            super::push_text(&mut self.buffer, &line);
        }
    }

    /// As [`Lines::add_data`], and writes if there is a good deal.
    pub(crate) fn data(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        self.add_data(line);
        self.write_if_enough()
    }

    /// As [`Lines::add_text`], and writes if there is a good deal.
    pub(crate) fn text(&mut self, line: impl Display) -> Result<(), Failure> {
        self.add_text(line);
        self.write_if_enough()
    }

    /// Writes if there is a good deal.
    pub(crate) fn write_if_enough(&mut self) -> Result<(), Failure> {
        if self.buffer.len() >= ENOUGH { self.flush() } else { Ok(()) }
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let bytes = std::mem::take(&mut self.buffer);
        if self.is_narration && !self.output.json {
            stream::narrate(&bytes);
        } else {
            stream::data(&bytes)?;
        }
        Ok(())
    }
}
