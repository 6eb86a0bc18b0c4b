//! `minibpf explain`: every step of a load, before the first.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use minibpf::elf::Object;
use minibpf::explain::facts::{Facts, Readings, Stage};
use minibpf::explain::page::{Line, Look, page};
use minibpf::plan::Plan;
use minibpf::spec::Spec;

use super::failure::{Exit, Failure};
use super::hooks;
use super::object::{self, PlanOptions};
use super::output::Output;

/// Print every step of a load, and where each number in it comes from. Needs no privileges.
#[derive(Args)]
pub(crate) struct Explain {
    /// Object file from `clang --target=bpf`; - is standard input
    #[arg(value_name = "OBJ", required_unless_present = "hooks")]
    object: Option<PathBuf>,
    /// Explain the places that take a socket filter instead: what byte 0 is there, and what the return value does
    #[arg(long, conflicts_with = "object")]
    hooks: bool,
    #[command(flatten)]
    plan: PlanOptions,
    /// Stop after this stage
    #[arg(long, value_name = "STAGE", value_enum, default_value_t = Until::Plan)]
    until: Until,
    /// Show the bytes of sections, records and system calls
    #[arg(long)]
    bytes: bool,
    /// Text in ASCII alone: other letters of the object's names and source lines are escaped
    #[arg(long)]
    ascii: bool,
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Until {
    /// The sections of the file
    Elf,
    /// The maps and their definitions
    Maps,
    /// The holes in the instructions
    Reloc,
    /// The system calls
    Plan,
}

impl From<Until> for Stage {
    fn from(until: Until) -> Self {
        match until {
            Until::Elf => Self::Elf,
            Until::Maps => Self::Maps,
            Until::Reloc => Self::Reloc,
            Until::Plan => Self::Plan,
        }
    }
}

impl Explain {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        if self.hooks {
            return hooks::print(output);
        }
        let bytes = object::read(self.object())?;
        let twin = Object::twin(&bytes).map_err(|error| self.at(error))?;
        let object = object::parse(&bytes, twin.as_deref()).map_err(|error| self.at(error))?;
        let spec = Spec::read(&object);
        // A wrong name on the command line is said before anything is explained, a useless object after what it has.
        let (plan, no_plan) = match self.plan.plan(self.object(), &spec, false) {
            Ok(plan) => (Some(plan), None),
            Err(failure) if failure.exit == Exit::Usage => return Err(failure),
            Err(failure) => (None, Some(failure)),
        };
        object::warn_of_types(output, &spec)?;
        let (plan, extra_section) = (plan.as_ref(), self.plan.section());
        let (bytes, limits) = (twin.as_deref().unwrap_or(&bytes), object::limits());
        let facts = Facts::of(&Readings { bytes, spec: &spec, plan, extra_section, limits });
        self.print(output, &facts, plan)?;
        // A program that cannot be linked is shown as such; the others were explained all the same.
        let unlinkable = || Failure::unlinkable(plan.filter(|_| self.until >= Until::Reloc)?);
        let failure = no_plan.or_else(|| Some(unlinkable()?.at(self.object().display())));
        failure.map_or(Ok(()), Err)
    }

    fn object(&self) -> &Path {
        self.object.as_deref().unwrap_or(Path::new("-"))
    }

    fn at(&self, error: impl Into<Failure>) -> Failure {
        error.into().at(self.object().display())
    }

    fn print(&self, output: &Output, facts: &Facts, plan: Option<&Plan>) -> Result<(), Failure> {
        // Where nothing can be planned, the stages that need a plan are left out.
        let until = if plan.is_some() { self.until.into() } else { Stage::Maps.min(self.until.into()) };
        let unresolved = facts.programs.iter().any(|program| program.unresolved.is_some());
        if unresolved && self.plan.wants_running_btf() {
            let why = "the running kernel's types cannot be read (/sys/kernel/btf/vmlinux)";
            output.warn("btf", format_args!("{why}: CO-RE is unresolved; --btf FILE names other types"))?;
        }
        if output.json {
            return facts.json(until, self.bytes).iter().try_for_each(|line| output.data(line));
        }
        let look =
            Look { width: output.width(), lessons: !output.is_quiet(), full: output.is_verbose(), bytes: self.bytes };
        let shown = |text: String| if self.ascii { ascii(&text) } else { text };
        page(facts, until, &look).into_iter().try_for_each(|line| match line {
            Line::Heading(title) => output.heading(&shown(title)),
            Line::Text(text) => output.text(shown(text)),
        })
    }
}

/// The same text without letters that a terminal may not have.
fn ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '…' => escaped.push_str("..."),
            letter if letter.is_ascii() => escaped.push(letter),
            letter => escaped.extend(letter.escape_unicode()),
        }
    }
    escaped
}
