//! The steps of a load, one after the other, up to the first that the kernel refuses, which is explained.

use std::path::Path;

use minibpf::kernel::Kernel;
use minibpf::plan::{Plan, Step};
use minibpf::verdict;

use super::failure::Failure;
use super::options::StepOptions;
use super::output::Output;
use super::pins;
use super::trace::Tracer;

/// Takes every step of a plan of the object at `path`.
pub(crate) fn take(
    tracer: &Tracer<'_>,
    output: &Output,
    plan: &Plan,
    path: &Path,
    options: &StepOptions,
) -> Result<Kernel, Failure> {
    let mut kernel = Kernel::default();
    kernel.log = options.log();
    let first_pin = pins::first(plan);
    for (index, step) in plan.steps.iter().enumerate() {
        if first_pin == Some(index) {
            pins::say_undo(output, plan)?;
        }
        let outcome = tracer.apply(&mut kernel, step)?;
        if let Some(log) = outcome.log {
            output.tell(log.trim_end());
        }
        if let Some(error) = outcome.error {
            if let (Some(log), true) = (&error.log, options.whole_log()) {
                output.tell(log.trim_end());
            }
            if let Step::Pin(pin) = step {
                return Err(pins::failure(pin, error).at(path.display()));
            }
            let failure = match (step, &error.log) {
                (Step::ProgLoad(program), Some(log)) => {
                    Failure::of_verifier(&error, &verdict::explain(plan, program, log))
                }
                _ => Failure::of_step(step, error),
            };
            return Err(failure.at(path.display()));
        }
    }
    Ok(kernel)
}
