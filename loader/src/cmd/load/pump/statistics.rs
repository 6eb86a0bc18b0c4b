//! `--watch`: every so often, what the program and its socket have counted.

use std::time::{Duration, Instant};

use minibpf::kernel::Program;
use minibpf::observe::stats::SocketStats;

use super::Pump;
use crate::cmd::failure::Failure;
use crate::cmd::statistics::Statistics;

/// A program that is watched.
pub(super) struct Watched<'a> {
    statistics: Statistics<'a>,
    pause: Duration,
    pub(super) next: Instant,
}

impl<'a> Pump<'a> {
    /// Shows statistics every `pause` from now on.
    pub(crate) fn show_every(&mut self, pause: Duration, program: &'a Program) -> Result<(), Failure> {
        let statistics = Statistics::new(program)?;
        let next = statistics.started() + pause;
        self.watched = Some(Watched { statistics, pause, next });
        Ok(())
    }

    /// Shows them if it is time to.
    pub(super) fn show_statistics(&mut self) -> Result<(), Failure> {
        let Some(watched) = &mut self.watched else { return Ok(()) };
        if Instant::now() < watched.next {
            return Ok(());
        }
        // A round that was missed is not made up for.
        watched.next = (watched.next + watched.pause).max(Instant::now());
        self.endpoint.look(&mut self.traffic.socket);
        let socket = Some(self.traffic.socket).filter(|socket| *socket != SocketStats::default());
        let round = watched.statistics.look(socket)?;
        self.output.say(&round);
        self.output.data(&round.json())
    }
}
