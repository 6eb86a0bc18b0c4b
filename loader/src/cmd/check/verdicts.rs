//! One program's verdict, as text and as a line of JSON.

use minibpf::kernel::KernelError;
use minibpf::plan::{Fate, LinkError, MapCreate, ProgId, ProgLoad, ProgramPlan};
use minibpf::privileges::{Privileges, Reason};
use minibpf::sys::errno_name;
use minibpf::verdict;
use serde_json::{Value as Json, json};

use super::Checker;
use super::answers::Answers;
use crate::cmd::chapter;
use crate::cmd::failure::Failure;
use crate::cmd::show;
use crate::cmd::trace::{Tracer, merged};

impl Checker<'_> {
    pub(super) fn skipped(&self, program: &ProgramPlan) -> Result<(), Failure> {
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

    pub(super) fn unlinkable(&self, program: &ProgramPlan, error: &LinkError) -> Result<(), Failure> {
        self.output.text(format_args!("{}: unlinkable: {error}", program.name))?;
        let (hint, see) = (error.kind.lesson().mend, chapter::of_link(&error.kind));
        self.output.text(format_args!("\thint    {hint}"))?;
        self.output.text(format_args!("\tsee     {see}"))?;
        self.print(program, "unlinkable", json!({ "error": error.to_string(), "hint": hint, "see": see }))
    }

    /// The map that a program is refused for.
    fn refused_map(&self, program: &ProgLoad, answers: &Answers) -> Option<&MapCreate> {
        let id = program.map_ids().into_iter().find(|id| answers.refused_maps.contains_key(id))?;
        self.plan.map(id)
    }

    pub(super) fn rejected(
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
        if let Some(Reason { why, hint }) = Privileges::running().explain_rejection(&reason) {
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

    pub(super) fn loaded(
        &self,
        tracer: &Tracer<'_>,
        program: &ProgramPlan,
        id: ProgId,
        answers: &Answers,
    ) -> Result<(), Failure> {
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
