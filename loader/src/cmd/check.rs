//! `minibpf check`: would the kernel take it?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use minibpf::kernel::{Kernel, KernelError, Pins};
use minibpf::plan::{Fate, MapCreate, MapId, Plan, ProgId, ProgLoad, ProgramPlan, Step};
use minibpf::privileges::Reason;
use minibpf::sys::errno_name;
use minibpf::{target, verdict};
use nix::errno::Errno;
use serde_json::{Value as Json, json};

use super::chapter;
use super::failure::{Exit, Failure};
use super::object::{self, PlanOptions};
use super::options::StepOptions;
use super::output::Output;
use super::pins;
use super::show;
use super::signals::Signals;
use super::trace::{Tracer, dry_run, merged};

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

/// What became of the programs so far, in the order of what weighs most.
#[derive(Default)]
struct Tally {
    rejected: Vec<String>,
    unlinkable: Vec<String>,
    /// Of several objects, those that cannot be read.
    unreadable: Vec<Failure>,
    /// What was pinned for each object; it stays if the whole check succeeds.
    pins: Vec<Pins>,
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
                return tally.unlinkable_only(plan);
            }
            object::refuse_unresolved(plan)?;
            Checker { check: self, output, path, plan }.run(tally)
        })
    }
}

impl Tally {
    /// What the check ends with, if not well: the weightiest decides the exit code, and nothing is left unsaid.
    fn failure(&self) -> Option<Failure> {
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
    fn unlinkable_only(&mut self, plan: &Plan) -> Result<(), Failure> {
        for program in &plan.programs {
            if let Fate::Unlinkable(error) = &program.fate {
                self.unlinkable.push(format!("`{}` ({error})", program.name));
            }
        }
        Ok(())
    }
}

/// The check of one object.
struct Checker<'a> {
    check: &'a Check,
    output: &'a Output,
    path: &'a Path,
    plan: &'a Plan,
}

/// What the kernel made of the plan.
#[derive(Default)]
struct Answers {
    kernel: Kernel,
    refused_maps: BTreeMap<MapId, KernelError>,
    refused: BTreeMap<ProgId, KernelError>,
    /// Logs of programs that were accepted.
    logs: BTreeMap<ProgId, String>,
}

impl Answers {
    fn has_refused(&self) -> bool {
        !(self.refused_maps.is_empty() && self.refused.is_empty())
    }
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
                    self.output.text(format_args!("{}: unlinkable: {error}", program.name))?;
                    let see = chapter::of_link(&error.kind);
                    self.output.text(format_args!("\tsee     {see}"))?;
                    self.print(program, "unlinkable", json!({ "error": error.to_string(), "see": see }))?;
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

    /// Takes every step that can be taken: what the kernel refuses only stops the steps that need it.
    fn ask(&self, tracer: &Tracer<'_>) -> Result<Answers, Failure> {
        let mut answers = Answers::default();
        answers.kernel.log = self.check.steps.log();
        let mut is_pinning = false;
        for step in &self.plan.steps {
            let makes_pin = step.pins_at().is_some();
            if makes_pin && (self.has_unlinkable() || answers.has_refused()) {
                // A check that fails leaves no pins, so it makes none.
                continue;
            }
            if makes_pin && !std::mem::replace(&mut is_pinning, true) {
                pins::say_undo(self.output, self.plan)?;
            }
            let error = match inherited(step, &answers.refused_maps) {
                Some(error) => Some(error),
                None => {
                    let outcome = tracer.apply(&mut answers.kernel, step)?;
                    if let (Step::ProgLoad(program), Some(log)) = (step, outcome.log) {
                        answers.logs.insert(program.id, log);
                    }
                    outcome.error
                }
            };
            let Some(error) = error else { continue };
            if let Step::Pin(pin) = step {
                return Err(pins::failure(pin, error).at(self.path.display()));
            }
            // ENOSYS is bpf(2) itself, not this step of it.
            let is_general = match error.source.errno {
                Errno::EPERM | Errno::ENOSYS => true,
                // Not the verifier, which always says why: a security module.
                Errno::EACCES => error.log.is_none() && matches!(step, Step::MapCreate(_) | Step::ProgLoad(_)),
                _ => false,
            };
            if is_general {
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

    fn skipped(&self, program: &ProgramPlan) -> Result<(), Failure> {
        // With --program the others were not asked for; they are not news.
        if program.section.starts_with('?') {
            self.output.text(format_args!(
                "{}: skipped: section {} loads only what --program names",
                program.name, program.section
            ))?;
            self.print(program, "skipped", json!({}))?;
        }
        Ok(())
    }

    /// The map that a program is refused for.
    fn refused_map(&self, program: &ProgLoad, answers: &Answers) -> Option<&MapCreate> {
        let id = program.map_ids().into_iter().find(|id| answers.refused_maps.contains_key(id))?;
        self.plan.map(id)
    }

    fn rejected(
        &self,
        program: &ProgramPlan,
        id: ProgId,
        error: &KernelError,
        answers: &Answers,
    ) -> Result<(), Failure> {
        let errno = errno_name(error.source.errno);
        let plan = self.prog_load(id);
        let explanation = plan.zip(error.log.as_ref()).map(|(program, log)| verdict::explain(self.plan, program, log));
        let hint = match &explanation {
            None => match plan.and_then(|program| self.refused_map(program, answers)) {
                Some(map) => Failure::of_map(map, error.clone()).hint,
                None => Failure::from(error.clone()).hint,
            },
            Some(explanation) => explanation.mend.clone(),
        };
        let mut reason =
            explanation.as_ref().map_or_else(|| error.to_string(), |explanation| explanation.reason.clone());
        if let Some(Reason { why, hint }) = target::privileges().explain_rejection(&reason) {
            reason = format!("{reason}: {why}; {hint}");
        }
        self.output.text(format_args!("{}: rejected ({errno}): {reason}", program.name))?;
        if let (Some(log), true) = (&error.log, self.check.steps.whole_log()) {
            self.output.text(log.trim_end())?;
        }
        for line in explanation.iter().flat_map(show::explanation) {
            self.output.text(format_args!("\t{line}"))?;
        }
        if let (Some(hint), None) = (&hint, &explanation) {
            self.output.text(format_args!("\thint    {hint}"))?;
        }
        let log = match &error.log {
            Some(log) if self.check.steps.raw_log => Some(log),
            _ => explanation.as_ref().map(|explanation| &explanation.decisive),
        };
        let insns = plan.map(|program| program.insns.len());
        let more = json!({
            "errno": errno, "error": error.to_string(), "log": log, "insns": insns, "explanation": explanation,
            "hint": hint,
        });
        self.print(program, "rejected", more)
    }

    fn loaded(&self, tracer: &Tracer<'_>, program: &ProgramPlan, id: ProgId, answers: &Answers) -> Result<(), Failure> {
        let (Some(plan), Some(loaded)) = (self.prog_load(id), answers.kernel.program(id)) else { return Ok(()) };
        let shown = show::ask(tracer, &answers.kernel, self.plan, plan, loaded)?;
        self.output.text(shown.text(plan))?;
        let log = answers.logs.get(&id);
        if let Some(log) = log {
            self.output.text(log.trim_end())?;
        }
        self.print(program, "loaded", merged(shown.json(plan), json!({ "log": log })))
    }

    /// One JSON line: what every verdict has, and then what this one has.
    fn print(&self, program: &ProgramPlan, verdict: &str, more: Json) -> Result<(), Failure> {
        let mut line =
            json!({ "kind": "program", "name": program.name, "section": program.section, "verdict": verdict });
        if self.check.objects.len() > 1 {
            line = merged(line, json!({ "obj": self.path.display().to_string() }));
        }
        let definitions: Vec<_> = match &program.fate {
            Fate::Load(id) | Fate::Sibling(id) => {
                let ids = self.prog_load(*id).map(ProgLoad::map_ids).unwrap_or_default();
                ids.iter().filter_map(|id| self.plan.map(*id)).map(|map| show::map_json(map, None)).collect()
            }
            _ => Vec::new(),
        };
        let empty = json!({
            "id": null, "tag": null, "insns": null, "bytes_xlated": null, "bytes_jited": null, "tag_computed": null,
            "maps": definitions, "errno": null, "error": null, "log": null,
        });
        self.output.data(&merged(merged(line, empty), more))
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
