//! The kernel's run statistics, for as long as a command watches.

use std::os::fd::{AsFd, AsRawFd};

use minibpf::explain;
use minibpf::observe::stats::RunStats;

use super::failure::Failure;
use super::output::Output;
use super::trace::Tracer;

/// Statistics that are wanted, and perhaps on.
pub(crate) struct Stats {
    wanted: bool,
    on: Option<RunStats>,
    is_refused: bool,
}

impl Stats {
    pub(crate) fn new(wanted: bool) -> Self {
        Self { wanted, on: None, is_refused: false }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on.is_some()
    }

    /// Whether the kernel did not let them be switched on.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Switches them on, once. Without the privilege the rest goes on all the same.
    pub(crate) fn enable(&mut self, output: &Output, tracer: &Tracer<'_>) -> Result<(), Failure> {
        if !std::mem::take(&mut self.wanted) {
            return Ok(());
        }
        let stats = RunStats::enable();
        let number = stats.as_ref().map(|fd| fd.as_fd().as_raw_fd()).map_err(|error| error.errno);
        tracer.call(explain::enable_stats, number)?;
        self.is_refused = stats.is_err();
        match stats {
            Ok(stats) => self.on = Some(stats),
            Err(error) => output.say(format_args!(
                "{error}: run statistics need CAP_SYS_ADMIN, so how often the filter runs will not be known"
            )),
        }
        Ok(())
    }
}
