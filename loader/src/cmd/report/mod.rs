//! `minibpf report`: the explanation as one page for a browser.

mod sources;
mod written;

use std::path::{Path, PathBuf};

use clap::Args;
use minibpf::elf::{ElfError, Object};
use minibpf::explain::facts::{Facts, Readings};
use minibpf::explain::html::{LARGEST_RUN, Reading, Refusal, Report, Run, html};
use minibpf::hook;
use minibpf::link::PlanError;
use minibpf::lint::Limits;
use minibpf::spec::Spec;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::object::{self, PlanOptions};
use super::output::Output;
use sources::Found;

/// Write the whole load as one HTML page that needs nothing but a browser. Needs no privileges.
///
/// The page shows the file byte by byte, each hole and what fills it, the source beside the instructions, and every system call.
/// With --from it also shows what a run has recorded: the verifier's walk, the calls, what the maps held. Of an object that cannot be
/// linked it shows what can be read, and where and why that ends; then the exit status is 3.
#[derive(Args)]
pub(crate) struct ReportArgs {
    /// Object file from `clang --target=bpf`; - is standard input
    #[arg(value_name = "OBJ")]
    object: PathBuf,
    /// The page; a file that is there is replaced
    #[arg(short, long, value_name = "FILE.html")]
    output: PathBuf,
    /// Which program; by default all of them
    #[arg(long, value_name = "NAME")]
    program: Option<String>,
    /// Treat the programs of this ELF section as socket filters, whatever its name
    #[arg(long, value_name = "NAME")]
    section: Option<String>,
    /// CO-RE target instead of the running kernel's BTF: a file of BTF, or an ELF file with a section .BTF; `none` for no target
    #[arg(long, value_name = "FILE")]
    btf: Option<PathBuf>,
    /// What a run has recorded: JSON Lines of `check --json` or `load --json`, best with --trace; `check --verifier-log=2 --raw-log` adds the
    /// verifier's walk, the lines of `dump --object OBJ --json` what it made of the instructions, and scripts/referees what other tools say
    #[arg(long, value_name = "RUN.json")]
    from: Option<PathBuf>,
    /// Show whole source files, as far as they lie in this folder; `none` for only the lines that the object's own records carry. Without it
    /// those that lie beside the object, if they are what it was compiled from
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
}

/// Bytes: every byte of the file is shown, and a browser must hold the page.
const LARGEST: usize = 16 << 20;

impl ReportArgs {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let bytes = object::read(&self.object)?;
        if bytes.len() > LARGEST {
            let what = format!("{} MiB: a page shows objects of up to {} MiB", bytes.len() >> 20, LARGEST >> 20);
            return Err(self.at(Failure::new(Exit::Object, what)).hint("minibpf explain has no such limit"));
        }
        let twin = Object::twin(&bytes).map_err(|error| self.at(error.into()))?;
        match object::parse(&bytes, twin.as_deref()) {
            Ok(object) => self.report(output, twin.as_deref().unwrap_or(&bytes), &object),
            Err(error @ ElfError::Malformed { .. }) => {
                self.damaged(output, twin.as_deref().unwrap_or(&bytes), error.into())
            }
            Err(error) => Err(self.at(error.into())),
        }
    }

    fn at(&self, failure: Failure) -> Failure {
        failure.at(self.object.display())
    }

    /// A page of whatever can be read, and then what cannot be linked.
    fn report(&self, output: &Output, bytes: &[u8], object: &Object<'_>) -> Result<(), Failure> {
        let spec = Spec::read(object);
        let options = PlanOptions::to_look_at(self.program.clone(), self.section.clone(), self.btf.clone());
        let (plan, no_plan) = match options.try_plan(&spec, false)? {
            Ok(plan) => (Some(plan), None),
            Err(error @ PlanError::NoProgram { .. }) => (None, Some(Failure::from(error))),
            Err(error) => return Err(self.at(error.into())),
        };
        object::warn_of_types(output, &spec)?;
        let plan = plan.as_ref();
        let extra_section = self.section.as_deref();
        // What this machine allows is not in the page, which is the same everywhere.
        let limits = Limits::default();
        let facts = Facts::of(&Readings { bytes, spec: &spec, plan, extra_section, limits });
        let refusals = match (plan, &no_plan) {
            (Some(plan), _) => Refusal::all(&spec, plan),
            (None, Some(failure)) => vec![refusal(failure, NO_PROGRAM)],
            (None, None) => Vec::new(),
        };
        let found = sources::find(self.source.as_deref(), &self.object, &spec, plan)?;
        let reading = Some(Reading { spec: &spec, plan, facts: &facts });
        self.write(output, bytes, reading, &refusals, found)?;
        // The page is there, but what cannot be linked cannot be loaded.
        let failure = no_plan.or_else(|| Failure::unlinkable(plan?));
        failure.map_or(Ok(()), |failure| Err(self.at(failure)))
    }

    /// A file whose tables contradict each other: its bytes are there all the same.
    fn damaged(&self, output: &Output, bytes: &[u8], failure: Failure) -> Result<(), Failure> {
        self.write(output, bytes, None, &[refusal(&failure, DAMAGED)], Found::default())?;
        Err(self.at(failure))
    }

    /// The file's name, without folders, which are nobody else's business.
    fn name(&self) -> String {
        match self.object.file_name() {
            Some(name) if self.object != Path::new("-") => name.to_string_lossy().into_owned(),
            _ => "standard input".to_owned(),
        }
    }

    fn recorded(&self, name: &str) -> Result<Run, Failure> {
        let Some(path) = &self.from else { return Ok(Run::default()) };
        if path == Path::new("-") && self.object == Path::new("-") {
            return Err(Failure::new(Exit::Usage, "--from: standard input can be read only once: give - once"));
        }
        let at = |failure: Failure| failure.at(format_args!("--from {}", path.display()));
        let text = written::read(path, LARGEST_RUN).map_err(|error| at(Failure::new(Exit::Other, error)))?;
        Run::read(&text, name).map_err(|error| at(Failure::new(Exit::Other, error)))
    }

    fn write(
        &self,
        output: &Output,
        bytes: &[u8],
        reading: Option<Reading<'_>>,
        refusals: &[Refusal],
        found: Found,
    ) -> Result<(), Failure> {
        let name = self.name();
        let run = self.recorded(&name)?;
        let hooks: Vec<_> = hook::ALL.iter().map(|hook| json!(hook)).collect();
        let page =
            html(&Report { name: &name, bytes, reading, refusals, run: &run, sources: &found.sources, hooks: &hooks });
        let path = self.output.display();
        written::replace(&self.output, page.as_bytes()).map_err(|error| {
            Failure::new(Exit::Other, error).at(&path).hint("-o FILE.html, in a folder that is there")
        })?;
        let sources: Vec<_> = found.paths.iter().map(|path| path.display().to_string()).collect();
        output.data(&json!({ "kind": "report", "file": path.to_string(), "bytes": page.len(), "sources": sources }))?;
        output.say(format_args!("{path}: written; open it in a browser"));
        // A page is mailed: what of this machine is in it is said.
        for path in &sources {
            output.say(format_args!("{path}: whole in the page, as the source"));
        }
        for path in &found.others {
            let path = path.display();
            output.say(format_args!("{path}: left out: not the lines that the object records; --source DIR takes it"));
        }
        Ok(())
    }
}

const DAMAGED: &str = "the tables of an ELF file say where everything is; where they contradict each other or the file, nothing can be trusted";
const NO_PROGRAM: &str = "a loader takes what its section says is a socket filter";

/// A failure of the whole object, for the page.
fn refusal(failure: &Failure, why: &str) -> Refusal {
    let mend = failure.hint.clone().unwrap_or_default();
    Refusal { what: failure.message.clone(), why: why.to_owned(), mend, ..Refusal::default() }
}
