//! What the kernel makes of a plan when every step is taken that can be.

use std::collections::BTreeMap;

use minibpf::kernel::{Kernel, KernelError};
use minibpf::plan::{MapId, ProgId, Step};
use nix::errno::Errno;

use super::Checker;
use crate::cmd::failure::Failure;
use crate::cmd::pins;
use crate::cmd::trace::Tracer;

/// What the kernel made of the plan.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) kernel: Kernel,
    pub(super) refused_maps: BTreeMap<MapId, KernelError>,
    pub(super) refused: BTreeMap<ProgId, KernelError>,
    /// Logs of programs that were accepted.
    pub(super) logs: BTreeMap<ProgId, String>,
}

impl Answers {
    fn has_refused(&self) -> bool {
        !(self.refused_maps.is_empty() && self.refused.is_empty())
    }
}

impl Checker<'_> {
    /// Takes every step that can be taken: what the kernel refuses only stops the steps that need it.
    pub(super) fn ask(&self, tracer: &Tracer<'_>) -> Result<Answers, Failure> {
        let mut answers = Answers::default();
        answers.kernel.log = self.check.steps.log();
        let first_pin = pins::first(self.plan);
        for (index, step) in self.plan.steps.iter().enumerate() {
            if step.pins_at().is_some() && (self.has_unlinkable() || answers.has_refused()) {
                // A check that fails leaves no pins, so it makes none.
                continue;
            }
            if first_pin == Some(index) {
                pins::say_undo(self.output, self.plan)?;
            }
            let error = if let Some(error) = inherited(step, &answers.refused_maps) {
                Some(error)
            } else {
                let outcome = tracer.apply(&mut answers.kernel, step)?;
                if let (Step::ProgLoad(program), Some(log)) = (step, outcome.log) {
                    answers.logs.insert(program.id, log);
                }
                outcome.error
            };
            let Some(error) = error else { continue };
            if let Step::Pin(pin) = step {
                return Err(pins::failure(pin, error).at(self.path.display()));
            }
            if is_general(step, &error) {
                return Err(Failure::of_step(step, error).at(self.path.display()));
            }
            match step {
                Step::MapCreate(map) => drop(answers.refused_maps.insert(map.id, error)),
                Step::MapUpdate(update) => drop(answers.refused_maps.insert(update.map, error)),
                Step::MapFreeze(freeze) => drop(answers.refused_maps.insert(freeze.map, error)),
                Step::ProgLoad(program) => drop(answers.refused.insert(program.id, error)),
                // The program that would use the slot is loaded all the same.
                Step::SlotUpdate(_) => self.output.warn("slot", error)?,
                Step::BtfLoad(_) | Step::Pin(_) => {}
            }
        }
        Ok(answers)
    }
}

/// Whether every other step would fail likewise.
fn is_general(step: &Step, error: &KernelError) -> bool {
    match error.source.errno {
        // ENOSYS is bpf(2) itself, not this step of it.
        Errno::EPERM | Errno::ENOSYS => true,
        // Not the verifier, which always says why: a security module.
        Errno::EACCES => error.log.is_none() && matches!(step, Step::MapCreate(_) | Step::ProgLoad(_)),
        // A file that the loader reads for a step, before the kernel is asked at all.
        _ => error.source.call.starts_with("read("),
    }
}

/// The failure that a step inherits from a map that could not be made.
fn inherited(step: &Step, refused: &BTreeMap<MapId, KernelError>) -> Option<KernelError> {
    let needs = match step {
        Step::BtfLoad(_) | Step::MapCreate(_) | Step::Pin(_) => Vec::new(),
        Step::MapUpdate(update) => vec![update.map],
        Step::SlotUpdate(update) => vec![update.map],
        Step::MapFreeze(freeze) => vec![freeze.map],
        Step::ProgLoad(program) => program.map_ids(),
    };
    needs.iter().find_map(|id| refused.get(id)).cloned()
}
