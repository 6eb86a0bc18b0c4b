//! How far a long run is: one line that is written over, for whoever looks at a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::report::Report;
use crate::cmd::output::Output;

const EVERY: Duration = Duration::from_millis(200);

pub(super) struct Progress {
    is_on: bool,
    next: Instant,
    is_shown: bool,
}

impl Progress {
    /// Only on a terminal, and only where the packets themselves go elsewhere.
    pub(super) fn new(output: &Output) -> Self {
        let is_on = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal() && !output.is_quiet();
        Self { is_on, next: Instant::now() + EVERY, is_shown: false }
    }

    pub(super) fn show(&mut self, report: &Report<'_>) {
        if self.is_on && Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            self.is_shown = true;
            // A terminal that is gone misses nothing.
            let _ = write!(std::io::stderr(), "\r{} packets", report.packets());
        }
    }

    /// Leaves an empty line.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
