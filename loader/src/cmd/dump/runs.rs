//! `--watch` of a program: how often it runs.

use minibpf::kernel::Program;

use super::changes::Pace;
use crate::cmd::failure::Failure;
use crate::cmd::output::Output;
use crate::cmd::signals::Signals;
use crate::cmd::statistics::Statistics;
use crate::cmd::stats::Stats;
use crate::cmd::trace::Tracer;

/// Switches the kernel's run statistics on, and shows them in each round.
pub(super) fn watch(output: &Output, program: &Program, pace: &Pace, signals: &Signals) -> Result<(), Failure> {
    let mut counted = Stats::new(true);
    counted.enable(output, &Tracer::if_asked(output, false))?;
    let mut statistics = Statistics::new(program)?;
    let mut last = statistics.started();
    for _ in 0..pace.rounds.unwrap_or(u64::MAX) {
        last = pace.next(last);
        if !pace.wait(last, signals) {
            break;
        }
        let round = statistics.look(None)?;
        output.text(&round)?;
        output.data(&round.json())?;
    }
    Ok(())
}
