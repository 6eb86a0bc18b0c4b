//! `minibpf report`: the explanation as one page for a browser.

mod sources;
mod written;

use std::path::{Path, PathBuf};

use clap::Args;
use minibpf::elf::Object;
use minibpf::explain::facts::{Facts, Readings};
use minibpf::explain::html::{LARGEST_RUN, Report, Run, html};
use minibpf::lint::Limits;
use minibpf::plan::{Fate, Plan};
use minibpf::spec::Spec;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::object::{self, PlanOptions};
use super::output::Output;

/// Write the whole load as one HTML page that needs nothing but a browser. Needs no privileges.
///
/// The page shows the file byte by byte, each hole and what fills it, the source beside the instructions, and every system call.
/// With --from it also shows what a run has recorded: the verifier's walk, the calls, what the maps held.
#[derive(Args)]
#[command(after_help = "\
Examples:
  minibpf report bpf-src/count.bpf.o -o count.html
  minibpf report filter.bpf.o -o filter.html --source .       whole source files, not only the lines that became code
  minibpf check filter.bpf.o --trace --verifier-log=2 --raw-log --json > run.json
  minibpf report filter.bpf.o -o filter.html --from run.json  with what the verifier said")]
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
    /// CO-RE target instead of the running kernel's BTF: a file of BTF, an ELF file with a section .BTF, or none
    #[arg(long, value_name = "FILE")]
    btf: Option<PathBuf>,
    /// What a run has recorded: JSON Lines of `check --json` or `load --json`, best with --trace; `check --verifier-log=2 --raw-log` adds the
    /// verifier's walk, and the lines of `dump --object OBJ --json` what it made of the instructions
    #[arg(long, value_name = "RUN.json")]
    from: Option<PathBuf>,
    /// Show whole source files, as far as they lie in this folder; without it only the lines that the object's own records carry
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
}

/// Bytes: every byte of the file is shown, and a browser must hold the page.
const LARGEST: usize = 16 << 20;

impl ReportArgs {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let path = self.object.display();
        let at = |failure: Failure| failure.at(&path);
        let bytes = object::read(&self.object)?;
        if bytes.len() > LARGEST {
            let what = format!("{} MiB: a page shows objects of up to {} MiB", bytes.len() >> 20, LARGEST >> 20);
            return Err(at(Failure::new(Exit::Object, what)).hint("minibpf explain has no such limit"));
        }
        let twin = Object::twin(&bytes).map_err(|error| at(error.into()))?;
        let object = object::parse(&bytes, twin.as_deref()).map_err(|error| at(error.into()))?;
        let spec = Spec::read(&object);
        let options = PlanOptions::to_look_at(self.program.clone(), self.section.clone(), self.btf.clone());
        let plan = options.plan(&self.object, &spec, false)?;
        all_linkable(&plan).map_err(at)?;
        object::warn_of_types(output, &spec)?;
        let name = self.name();
        let bytes = twin.as_deref().unwrap_or(&bytes);
        // What this machine allows is not in the page, which is the same everywhere.
        let limits = Limits::default();
        let facts = Facts::of(&Readings {
            bytes,
            spec: &spec,
            plan: Some(&plan),
            extra_section: self.section.as_deref(),
            limits,
        });
        let run = self.recorded(&name)?;
        let sources = match &self.source {
            Some(dir) => sources::read(dir, &spec, &plan)?,
            None => Vec::new(),
        };
        let page =
            html(&Report { name: &name, bytes, spec: &spec, plan: &plan, facts: &facts, run: &run, sources: &sources });
        self.write(output, &page)
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

    fn write(&self, output: &Output, page: &str) -> Result<(), Failure> {
        let path = self.output.display();
        written::replace(&self.output, page.as_bytes()).map_err(|error| {
            Failure::new(Exit::Other, error).at(&path).hint("-o FILE.html, in a folder that is there")
        })?;
        output.data(&json!({ "kind": "report", "file": path.to_string(), "bytes": page.len() }))?;
        output.say(format_args!("{path}: written; open it in a browser"));
        Ok(())
    }
}

/// A page of a program that cannot be linked would lack what it is for.
fn all_linkable(plan: &Plan) -> Result<(), Failure> {
    let error = plan.programs.iter().find_map(|program| match &program.fate {
        Fate::Unlinkable(error) => Some(error.clone()),
        _ => None,
    });
    match error {
        Some(error) => Err(Failure::from(error)
            .hint("minibpf explain shows how far it can be read; --program NAME reports another program")),
        None => Ok(()),
    }
}
