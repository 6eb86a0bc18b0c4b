//! `minibpf check`: would the kernel take it?

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use minibpf::kernel::{Kernel, KernelError, LogRequest};
use minibpf::plan::{Fate, MapId, Plan, ProgId, ProgLoad, ProgramPlan, Step};
use minibpf::sys::errno_name;
use minibpf::verdict;
use nix::errno::Errno;
use serde_json::{Value as Json, json};

use super::failure::{Exit, Failure};
use super::object::{self, PlanOptions};
use super::output::Output;
use super::show;
use super::trace::{Tracer, dry_run, merged};

/// Load every socket filter of an object, print the verdicts, attach nothing.
#[derive(Args)]
pub(crate) struct Check {
    /// Object files from `clang --target=bpf`; - is standard input
    #[arg(value_name = "OBJ", required = true)]
    objects: Vec<PathBuf>,
    #[command(flatten)]
    plan: PlanOptions,
    /// Each system call as it happens, in strace's words
    #[arg(long)]
    trace: bool,
    /// Everything but the system calls
    #[arg(long)]
    dry_run: bool,
    /// Ask for the verifier's log even of a program that loads; 1: at branches, 2: at every instruction
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = clap::value_parser!(u32).range(1..=2))]
    verifier_log: Option<u32>,
    /// Print the kernel's text unedited
    #[arg(long)]
    raw_log: bool,
}

/// What became of the programs so far, in the order of what weighs most.
#[derive(Default)]
struct Tally {
    rejected: Vec<String>,
    unlinkable: Vec<String>,
}

impl Check {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut tally = Tally::default();
        for path in &self.objects {
            let bytes = object::read(path)?;
            object::with_plan(path, &bytes, &self.plan.options(), |_, plan| {
                if self.dry_run {
                    dry_run(output, plan)?;
                    return tally.unlinkable_only(plan);
                }
                Checker { check: self, output, path, plan }.run(&mut tally)
            })?;
        }
        let count = |names: &[String]| {
            if names.len() == 1 { "program".to_owned() } else { format!("{} programs", names.len()) }
        };
        if !tally.rejected.is_empty() {
            let what = format!("the kernel refused {} {}", count(&tally.rejected), tally.rejected.join(", "));
            return Err(Failure::new(Exit::Refused, what));
        }
        if !tally.unlinkable.is_empty() {
            let what = format!("cannot link {} {}", count(&tally.unlinkable), tally.unlinkable.join(", "));
            return Err(Failure::new(Exit::Object, what));
        }
        Ok(())
    }
}

impl Tally {
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
    path: &'a PathBuf,

    plan: &'a Plan,
}

impl Checker<'_> {
    fn run(&self, tally: &mut Tally) -> Result<(), Failure> {
        let tracer = Tracer::if_asked(self.output, self.check.trace);
        let mut kernel = Kernel::default();
        if let Some(level) = self.check.verifier_log {
            kernel.log = LogRequest::Always(level);
        }
        let (mut lost_maps, mut refused, mut logs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for step in &self.plan.steps {
            if let Some(error) = self.lost(step, &lost_maps) {
                if let Step::ProgLoad(program) = step {
                    refused.insert(program.id, error);
                }
                continue;
            }
            let outcome = tracer.apply(&mut kernel, step)?;
            if let (Step::ProgLoad(program), Some(log)) = (step, outcome.log) {
                logs.insert(program.id, log);
            }
            let Some(error) = outcome.error else { continue };
            if error.source.errno == Errno::EPERM {
                return Err(error.into());
            }
            match step {
                Step::MapCreate(map) => drop(lost_maps.insert(map.id, error)),
                Step::MapUpdate(update) => drop(lost_maps.insert(update.map, error)),
                Step::MapFreeze(freeze) => drop(lost_maps.insert(freeze.map, error)),
                Step::ProgLoad(program) => drop(refused.insert(program.id, error)),
                Step::BtfLoad(_) => {}
            }
        }
        for program in &self.plan.programs {
            match &program.fate {
                Fate::Skip => self.skipped(program)?,
                Fate::Unlinkable(error) => {
                    tally.unlinkable.push(format!("`{}`", program.name));
                    self.output.text(format_args!("{}: unlinkable: {error}", program.name))?;
                    self.print(program, "unlinkable", json!({ "error": error.to_string() }))?;
                }
                Fate::Load(id) => match refused.get(id) {
                    Some(error) => {
                        tally.rejected.push(format!("`{}`", program.name));
                        self.rejected(program, *id, error)?;
                    }
                    None => self.loaded(&tracer, &kernel, program, *id, logs.get(id))?,
                },
            }
        }
        Ok(())
    }

    /// The failure that a step inherits from a map that could not be made.
    fn lost(&self, step: &Step, lost: &BTreeMap<MapId, KernelError>) -> Option<KernelError> {
        let needs = match step {
            Step::BtfLoad(_) | Step::MapCreate(_) => Vec::new(),
            Step::MapUpdate(update) => vec![update.map],
            Step::MapFreeze(freeze) => vec![freeze.map],
            Step::ProgLoad(program) => program.map_ids(),
        };
        needs.iter().find_map(|id| lost.get(id)).cloned()
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

    fn rejected(&self, program: &ProgramPlan, id: ProgId, error: &KernelError) -> Result<(), Failure> {
        let errno = errno_name(error.source.errno);
        let verdict = error.log.as_deref().map(verdict::read_log);
        let reason = verdict.as_ref().map_or_else(|| error.to_string(), |verdict| verdict.reason.clone());
        self.output.text(format_args!("{}: rejected ({errno}): {reason}", program.name))?;
        let at = verdict.iter().flat_map(|verdict| [&verdict.source, &verdict.insn]).flatten();
        let lines: Vec<_> = at.cloned().chain([reason]).collect();
        if let (Some(log), true) = (&error.log, self.check.raw_log || self.check.verifier_log.is_some()) {
            self.output.text(log.trim_end())?;
        } else {
            for line in lines.iter().rev().skip(1).rev() {
                self.output.text(format_args!("\t{line}"))?;
            }
        }
        let log = match (&error.log, self.check.raw_log) {
            (Some(log), true) => json!(log),
            (Some(_), false) => json!(lines.join("\n")),
            (None, _) => Json::Null,
        };
        let insns = self.prog_load(id).map(|program| program.insns.len());
        self.print(
            program,
            "rejected",
            json!({ "errno": errno, "error": error.to_string(), "log": log, "insns": insns }),
        )
    }

    fn loaded(
        &self,
        tracer: &Tracer<'_>,
        kernel: &Kernel,
        program: &ProgramPlan,
        id: ProgId,
        log: Option<&String>,
    ) -> Result<(), Failure> {
        let (Some(plan), Some(loaded)) = (self.prog_load(id), kernel.program(id)) else { return Ok(()) };
        let shown = show::ask(tracer, kernel, plan, loaded)?;
        self.output.text(shown.text(plan))?;
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
            Fate::Load(id) => {
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
