//! `minibpf check`: would the kernel take it?

mod answers;
mod tally;
mod verdicts;

use std::path::{Path, PathBuf};

use clap::Args;
use minibpf::kernel::Pins;
use minibpf::plan::{Fate, Plan, ProgId, ProgLoad, ProgramPlan};
use serde_json::json;

use self::tally::Tally;
use super::failure::{Exit, Failure};
use super::object::{self, PlanOptions};
use super::options::StepOptions;
use super::output::Output;
use super::signals::Signals;
use super::trace::{Tracer, dry_run};

/// Load every socket filter of an object, print the verdicts, attach nothing.
#[derive(Args)]
pub(crate) struct Check {
    /// Object files from `clang --target=bpf`; - is standard input
    #[arg(value_name = "OBJ", required = true)]
    objects: Vec<PathBuf>,
    #[command(flatten)]
    plan: PlanOptions,
    #[command(flatten)]
    steps: StepOptions,
}

impl Check {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        if self.objects.iter().filter(|path| *path == Path::new("-")).count() > 1 {
            return Err(Failure::new(Exit::Usage, "standard input can be read only once: give - once"));
        }
        let mut tally = Tally::default();
        // Only what pins has something to undo; without, Ctrl-C ends it at once.
        let signals = if self.plan.makes_pins() { Some(Signals::catch()?) } else { None };
        for path in &self.objects {
            if self.objects.len() > 1 {
                // In JSON each line says itself which object it is about.
                output.text(format_args!("{}:", path.display()))?;
            }
            match self.one(output, path, &mut tally) {
                // One object that cannot be read does not spoil the others.
                Err(failure) if failure.exit == Exit::Object && self.objects.len() > 1 => {
                    output.text(format_args!("unreadable: {}", failure.message))?;
                    let obj = path.display().to_string();
                    output.data(
                        &json!({ "kind": "object", "obj": obj, "verdict": "unreadable", "error": failure.message }),
                    )?;
                    tally.unreadable.push(failure);
                }
                other => other?,
            }
        }
        if signals.is_some_and(|signals| signals.came()) {
            return Err(Failure::new(Exit::Other, "interrupted: nothing stays pinned"));
        }
        match tally.failure() {
            None => tally.pins.into_iter().for_each(Pins::keep),
            Some(failure) => {
                if tally.pins.iter().any(|pins| !pins.is_empty()) {
                    output.say("nothing stays pinned");
                }
                return Err(failure);
            }
        }
        Ok(())
    }

    fn one(&self, output: &Output, path: &Path, tally: &mut Tally) -> Result<(), Failure> {
        let of_several = (self.objects.len() > 1).then_some(path);
        let bytes = object::read(path)?;
        object::with_plan(path, &bytes, &self.plan, output, |spec, plan| {
            object::warn_of_lints(output, of_several, spec, plan, None)?;
            if self.steps.dry_run {
                dry_run(output, plan)?;
                tally.unlinkable_only(plan);
                return Ok(());
            }
            object::refuse_unresolved(plan)?;
            Checker { check: self, output, path, plan }.run(tally)
        })
    }
}

/// The check of one object.
struct Checker<'a> {
    check: &'a Check,
    output: &'a Output,
    path: &'a Path,
    plan: &'a Plan,
}

impl Checker<'_> {
    fn run(&self, tally: &mut Tally) -> Result<(), Failure> {
        let tracer = Tracer::if_asked(self.output, self.check.steps.trace);
        let mut answers = self.ask(&tracer)?;
        for program in &self.plan.programs {
            match &program.fate {
                Fate::Skip => self.skipped(program)?,
                Fate::Unlinkable(error) => {
                    tally.unlinkable.push(self.named(program));
                    self.unlinkable(program, error)?;
                }
                Fate::Load(id) | Fate::Sibling(id) => match answers.refused.get(id) {
                    Some(error) => {
                        tally.rejected.push(self.named(program));
                        self.rejected(program, *id, error, &answers)?;
                    }
                    None => self.loaded(&tracer, program, *id, &answers)?,
                },
            }
        }
        tally.pins.push(answers.kernel.take_pins());
        Ok(())
    }

    /// A program, and of several objects whose.
    fn named(&self, program: &ProgramPlan) -> String {
        let of = if self.check.objects.len() > 1 { format!(" of {}", self.path.display()) } else { String::new() };
        format!("`{}`{of}", program.name)
    }

    fn has_unlinkable(&self) -> bool {
        self.plan.programs.iter().any(|program| matches!(program.fate, Fate::Unlinkable(_)))
    }

    fn prog_load(&self, id: ProgId) -> Option<&ProgLoad> {
        self.plan.prog_loads().find(|program| program.id == id)
    }
}
