//! What a check of several programs, or of several objects, comes to.

use minibpf::kernel::Pins;
use minibpf::plan::{Fate, Plan};

use crate::cmd::failure::{Exit, Failure};

/// What became of the programs so far, in the order of what weighs most.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) rejected: Vec<String>,
    pub(super) unlinkable: Vec<String>,
    /// Of several objects, those that cannot be read.
    pub(super) unreadable: Vec<Failure>,
    /// What was pinned for each object; it stays if the whole check succeeds.
    pub(super) pins: Vec<Pins>,
}

impl Tally {
    /// What the check ends with, if not well: the weightiest decides the exit code, and nothing is left unsaid.
    pub(super) fn failure(&self) -> Option<Failure> {
        let names = |names: &[String]| match names {
            [one] => format!("program {one}"),
            names => format!("{} programs {}", names.len(), names.join(", ")),
        };
        // Each program's verdict has said where to read on.
        let failure = |exit, message: String| Failure { see: None, ..Failure::new(exit, message) };
        let mut failures = Vec::new();
        if !self.rejected.is_empty() {
            failures.push(failure(Exit::Refused, format!("the kernel refused {}", names(&self.rejected))));
        }
        if !self.unlinkable.is_empty() {
            failures.push(failure(Exit::Object, format!("cannot link {}", names(&self.unlinkable))));
        }
        failures.extend(self.unreadable.iter().cloned());
        let messages: Vec<_> = failures.iter().map(|failure| failure.message.clone()).collect();
        let first = failures.into_iter().next()?;
        Some(Failure { message: messages.join("; "), ..first })
    }

    /// Without the kernel nothing can be rejected.
    pub(super) fn unlinkable_only(&mut self, plan: &Plan) {
        for program in &plan.programs {
            if let Fate::Unlinkable(error) = &program.fate {
                self.unlinkable.push(format!("`{}` ({error}; mend: {})", program.name, error.kind.lesson().mend));
            }
        }
    }
}
