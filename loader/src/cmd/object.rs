//! The OBJ argument and the options that shape its plan.

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use minibpf::elf::{ElfError, Object};
use minibpf::filter::{self, FilterError};
use minibpf::link::{Options, PlanError};
use minibpf::lint::{self, Limits};
use minibpf::plan::{Fate, Needs, Plan, ProgLoad, ProgramPlan};
use minibpf::spec::Spec;
use minibpf::target::{self, Target, TargetBtf};
use serde_json::json;

use super::failure::{Exit, Failure};
use super::output::Output;
use super::pins::PinArgs;
use super::trace::merged;

/// How an object is to be planned.
#[derive(Args)]
pub(crate) struct PlanOptions {
    /// Which program; without it `load` and `run` take the only one there is, other commands all
    #[arg(long, value_name = "NAME")]
    program: Option<String>,
    /// Treat the programs of this ELF section as socket filters, whatever its name
    #[arg(long, value_name = "NAME")]
    section: Option<String>,
    /// Set a global before the load, typed by its BTF; repeatable
    #[arg(long, value_name = "VAR=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// CO-RE target instead of the running kernel's BTF: a file of BTF, or an ELF file with a section .BTF; `none` for no target
    #[arg(long, value_name = "FILE")]
    btf: Option<PathBuf>,
    #[command(flatten)]
    pins: PinArgs,
}

/// `VAR=VALUE`.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected VAR=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl PlanOptions {
    /// The object as it is, with nothing set and nothing pinned.
    pub(crate) fn to_look_at(program: Option<String>, section: Option<String>, btf: Option<PathBuf>) -> Self {
        Self { program, section, set: Vec::new(), btf, pins: PinArgs::default() }
    }

    fn options(&self) -> Options {
        Options {
            program: self.program.clone(),
            section: self.section.clone(),
            set: self.set.clone(),
            pins: self.pins.options(),
        }
    }

    /// Whether anything is to be pinned.
    pub(crate) fn makes_pins(&self) -> bool {
        self.pins.options().dir.is_some()
    }

    /// The section whose programs are to be taken as socket filters.
    pub(crate) fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    /// What will be done; `is_to_run`: on this machine, whose byte order then counts.
    pub(crate) fn plan(&self, path: &Path, spec: &Spec<'_>, is_to_run: bool) -> Result<Plan, Failure> {
        let plan = self.try_plan(spec, is_to_run)?;
        plan.map_err(|error| Failure::from(error).at(path.display()))
    }

    /// The same; what is wrong with the object is an answer, and only what is wrong with the options a failure.
    pub(crate) fn try_plan(&self, spec: &Spec<'_>, is_to_run: bool) -> Result<Result<Plan, PlanError>, Failure> {
        let mut target = self.target(spec)?;
        target.is_little_endian &= is_to_run;
        match (Plan::new(spec, &self.options(), &target), &self.btf) {
            (Err(error @ PlanError::Target(_)), Some(path)) => Err(no_btf(path, error)),
            (plan, _) => Ok(plan),
        }
    }

    /// Whether the target is the running kernel, all of it.
    pub(crate) fn wants_running_btf(&self) -> bool {
        self.btf.is_none()
    }

    /// The running kernel with what is pinned there, but for types that the user chose.
    fn target(&self, spec: &Spec<'_>) -> Result<Target, Failure> {
        let Some(path) = &self.btf else { return self.pins.look(Target::running(spec)) };
        let target = self.pins.look(Target::running_but_btf(spec))?;
        let btf = if path == Path::new("none") {
            TargetBtf::None
        } else {
            TargetBtf::from_file(path).map_err(|error| no_btf(path, error))?
        };
        Ok(Target { btf, ..target })
    }
}

/// What `--btf` names holds no types.
fn no_btf(path: &Path, error: impl Display) -> Failure {
    Failure::new(Exit::Object, error).at(path.display()).hint(
        "--btf takes the types of a kernel: a copy of its /sys/kernel/btf/vmlinux, or its vmlinux; bpftool btf dump file FILE reads both",
    )
}

/// Reads an object's bytes; `-` is standard input. What does not begin as an object does is not read on, since it may have no end.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || {
        if path == Path::new("-") {
            return whole(std::io::stdin().lock(), 0);
        }
        let file = File::open(path)?;
        // So that the bytes are not moved while they become more. A size that is too large is the file's own, or a lie.
        let size = file.metadata()?.len().min(LARGEST + 1);
        whole(file, size as usize)
    };
    let bytes = read().map_err(|error| Failure::new(Exit::Object, error).at(path.display()))?;
    if bytes.len() as u64 > LARGEST {
        let what = format!("more than {} MiB, which no object has", LARGEST >> 20);
        return Err(Failure::new(Exit::Object, what).at(path.display()));
    }
    Ok(bytes)
}

/// The bytes of what begins as an ELF file; of anything else the first.
fn whole(mut from: impl Read, size: usize) -> std::io::Result<Vec<u8>> {
    const MAGIC: &[u8] = b"\x7fELF";
    let mut bytes = Vec::with_capacity(MAGIC.len());
    from.by_ref().take(MAGIC.len() as u64).read_to_end(&mut bytes)?;
    if bytes == MAGIC {
        bytes.try_reserve_exact(size)?;
        from.take(LARGEST + 1 - MAGIC.len() as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Bytes: many times the largest object that is known, so that a file without an end does not fill the memory.
const LARGEST: u64 = 512 << 20;

/// Bytes → Object → Spec → Plan, and then what `use_it` does with them, while the bytes are borrowed.
pub(crate) fn with_plan<T>(
    path: &Path,
    bytes: &[u8],
    options: &PlanOptions,
    output: &Output,
    use_it: impl FnOnce(&Spec<'_>, &Plan) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let at = |failure: Failure| failure.at(path.display());
    let twin = Object::twin(bytes).map_err(|error| at(error.into()))?;
    let object = parse(bytes, twin.as_deref()).map_err(|error| at(error.into()))?;
    let spec = Spec::read(&object);
    warn_of_types(output, &spec)?;
    let plan = options.plan(path, &spec, true)?;
    use_it(&spec, &plan)
}

/// Reads an object, a big-endian one by way of its twin.
pub(crate) fn parse<'data>(bytes: &'data [u8], twin: Option<&'data [u8]>) -> Result<Object<'data>, ElfError> {
    twin.map_or_else(|| Object::parse(bytes), Object::parse_twin)
}

/// Types that cannot be read are left out, with whatever depends on them.
pub(crate) fn warn_of_types(output: &Output, spec: &Spec<'_>) -> Result<(), Failure> {
    match &spec.unreadable {
        Some(error) => output.warn("btf", format_args!("{error}: going on without types, source lines and CO-RE")),
        None => Ok(()),
    }
}

/// What the running kernel does not allow.
pub(crate) fn limits() -> Limits {
    Limits { optmem_max: target::optmem_max(), ..Limits::default() }
}

/// What will go wrong, or not as it was meant, is said before the kernel is asked; of several objects each time of which.
pub(crate) fn warn_of_lints(
    output: &Output,
    of_several: Option<&Path>,
    spec: &Spec<'_>,
    plan: &Plan,
    byte0: Option<&'static str>,
) -> Result<(), Failure> {
    lint::all(spec, plan, &Limits { byte0, ..limits() }).iter().try_for_each(|lint| {
        let text = format!("{}: {}\n  mend: {}", lint.text(), lint.why, lint.mend);
        match of_several.map(Path::display) {
            None => output.advise(&lint.json(), text),
            Some(path) => {
                let line = merged(lint.json(), json!({ "obj": path.to_string() }));
                output.advise(&line, format_args!("{path}: {text}"))
            }
        }
    })
}

/// A plan for no kernel in particular can be looked at, not performed.
pub(crate) fn refuse_unresolved(plan: &Plan) -> Result<(), Failure> {
    filter::refuse_unresolved(plan).map_err(|error| {
        let what = Failure::new(Exit::Object, error.to_string());
        match error {
            FilterError::Unresolved { needs: Needs::Btf, .. } => {
                what.hint("--btf FILE names the types of a kernel; without --btf it is the running one's")
            }
            _ => what.hint("it is read from the running kernel: is /proc mounted, and may this user read it?"),
        }
    })
}

/// The program to be attached or run, where only one can be meant.
pub(crate) fn the_only_program(plan: &Plan) -> Result<&ProgLoad, Failure> {
    match filter::the_program(plan) {
        Ok(id) => plan
            .prog_loads()
            .find(|program| program.id == id)
            .ok_or_else(|| Failure::new(Exit::Object, "no program to load")),
        Err(FilterError::Link(error)) => Err((*error).into()),
        Err(FilterError::Which { names }) => {
            let is_wanted = |program: &ProgramPlan| !matches!(program.fate, Fate::Skip | Fate::Sibling(_));
            let why = if plan.programs.iter().any(is_wanted) {
                "the object has several programs"
            } else {
                "no program is loaded by default"
            };
            Err(Failure::new(Exit::Usage, format!("{why}; choose with --program: {}", names.join(", "))))
        }
        Err(other) => Err(Failure::new(Exit::Object, other.to_string())),
    }
}
