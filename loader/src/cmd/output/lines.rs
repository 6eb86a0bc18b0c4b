//! Data of many lines, written a good deal at a time.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

use super::{Output, escape};
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
        escape::json(&mut self.buffer, start);
        self.buffer.push(b'\n');
        self.write_if_enough()
    }

    /// A line of text. Nothing with `--json`.
    pub(crate) fn text(&mut self, line: impl Display) -> Result<(), Failure> {
        if self.output.json {
            return Ok(());
        }
        let start = self.buffer.len();
        write!(self.buffer, "{line}")?;
        escape::text(&mut self.buffer, start);
        self.buffer.push(b'\n');
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
