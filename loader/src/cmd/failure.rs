//! How a command fails: the exit code, one line of what, then why and how to mend it.

use std::fmt::Display;
use std::process::ExitCode;

use minibpf::elf::ElfError;
use minibpf::kernel::KernelError;
use minibpf::link::PlanError;
use minibpf::lint;
use minibpf::plan::{LinkError, LinkErrorKind, MapCreate, Plan, Step};
use minibpf::privileges::{Privileges, Reason, Refused};
use minibpf::sys::errno_name;
use minibpf::verdict::Explanation;
use nix::errno::Errno;
use serde_json::{Value as Json, json};

use super::{chapter, show};

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Other = 1,
    Usage = 2,
    Object = 3,
    Privileges = 4,
    Refused = 5,
    Socket = 6,
    TimedOut = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// Where the book explains it.
    pub(crate) see: Option<&'static str>,
    /// Lines below the message in place of the hint and of where to read on, for people.
    pub(crate) table: Vec<String>,
    /// What the verifier's refusal comes down to.
    pub(crate) explanation: Option<Box<Json>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            hint: None,
            see: chapter::of_exit(exit),
            table: Vec::new(),
            explanation: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Says where it happened: a file, an address.
    pub(crate) fn at(mut self, place: impl Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// A privilege is missing, this one.
    pub(crate) fn privilege(what: &impl Display, Reason { why, hint }: Reason) -> Self {
        Self::new(Exit::Privileges, format!("{what}: {why}")).hint(format!("{hint}; minibpf doctor says more"))
    }

    /// A step that the kernel refused.
    pub(crate) fn of_step(step: &Step, error: KernelError) -> Self {
        match step {
            Step::MapCreate(map) if error.source.errno == Errno::EPERM => {
                Self::privilege(&error, Privileges::running().explain_eperm(Refused::Map(map.attr.map_type)))
            }
            Step::MapCreate(map) => Self::of_map(map, error),
            _ => error.into(),
        }
    }

    /// A map that could not be made. The kernel does not say which of its numbers it was.
    pub(crate) fn of_map(map: &MapCreate, error: KernelError) -> Self {
        let is_refused = error.source.call == "bpf(BPF_MAP_CREATE)"
            && matches!(error.source.errno, Errno::EINVAL | Errno::UnknownErrno);
        let fault = lint::map_fault(&map.attr).filter(|_| is_refused);
        let failure = Self::from(error);
        match fault {
            Some(fault) => failure.hint(format!("it has {}: {}", fault.what, fault.mend)),
            None => failure,
        }
    }

    /// A program that cannot be linked, whatever this process may see of the kernel.
    fn of_link(error: &LinkError) -> Self {
        let see = Some(chapter::of_link(&error.kind));
        Self { see, ..Self::new(Exit::Object, error) }.hint(error.kind.lesson().mend)
    }

    /// What the programs of a plan that cannot be linked come to, where there are any.
    pub(crate) fn unlinkable(plan: &Plan) -> Option<Self> {
        let errors: Vec<_> = plan.unlinkable().collect();
        let (first, others) = errors.split_first()?;
        if others.is_empty() {
            return Some(Self::of_link(first.1));
        }
        let names: Vec<_> = errors.iter().map(|(program, _)| program.name.as_str()).collect();
        Some(Self::new(Exit::Object, format!("cannot link programs `{}`", names.join("`, `"))))
    }

    /// The verifier refused a program.
    pub(crate) fn of_verifier(error: &KernelError, explanation: &Explanation) -> Self {
        let errno = errno_name(error.source.errno);
        let message = format!("{}: the verifier refused it ({errno}): {}", error.what, explanation.reason);
        if let Some(reason) = Privileges::running().explain_rejection(&explanation.reason) {
            return Self::privilege(&message, reason);
        }
        let hint = explanation.mend.clone();
        let json = serde_json::to_value(explanation).ok().map(Box::new);
        let table = show::explanation(explanation);
        Self { hint, table, explanation: json, ..Self::new(Exit::Refused, message) }
    }

    /// The reader of our output is gone: end without a word.
    pub(crate) fn broken_pipe() -> Self {
        Self::new(Exit::Done, "")
    }

    /// A signal came before there was anything to sum up.
    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Done, "")
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.message.is_empty()
    }

    pub(crate) fn json(&self) -> Json {
        let mut line = json!({
            "kind": "error", "code": self.exit as u8, "message": self.message, "hint": self.hint, "see": self.see,
        });
        if let (Some(explanation), Some(fields)) = (&self.explanation, line.as_object_mut()) {
            fields.insert("explanation".to_owned(), Json::clone(explanation));
        }
        line
    }
}

impl From<ElfError> for Failure {
    fn from(error: ElfError) -> Self {
        let failure = Self::new(Exit::Object, &error);
        match error {
            ElfError::NotElf { .. } | ElfError::NotBpf { .. } => {
                failure.hint("an object is made by: clang --target=bpf -O2 -g -c filter.bpf.c -o filter.bpf.o")
            }
            ElfError::NoSymbols => failure.hint(
                "take the object as clang wrote it; llvm-strip -g takes debug information alone and leaves the symbols",
            ),
            ElfError::Malformed { .. } => failure.hint("is the file complete? readelf -a shows what else it says"),
        }
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        if let LinkErrorKind::HiddenAddress(_) = error.kind {
            return Self::privilege(&error, Privileges::running().explain_hidden_address());
        }
        Self::of_link(&error)
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match &error {
            PlanError::NoProgram { .. } => Self::new(Exit::Object, &error)
                .hint("a socket filter is a function marked SEC(\"socket\"); --section NAME takes another section's"),
            PlanError::UnknownSection { .. } | PlanError::UnknownProgram { .. } | PlanError::Set(_) => {
                Self::new(Exit::Usage, error)
            }
            PlanError::Pin(pin) => Self::new(pin.into(), &error),
            PlanError::Target(_) => Self::new(Exit::Object, error),
        }
    }
}

impl From<KernelError> for Failure {
    fn from(error: KernelError) -> Self {
        let errno = error.source.errno;
        if let Some(path) = error.source.call.strip_prefix("read(").and_then(|rest| rest.strip_suffix(')')) {
            return Self::new(Exit::Other, &error).hint(format!("{path} must be readable: is /sys mounted?"));
        }
        // A seccomp filter may say ENOSYS as well; then it says so whatever bpf(2) is asked.
        let is_filtered = || errno == Errno::ENOSYS && Privileges::running().bpf_is_filtered;
        if errno == Errno::EPERM || is_filtered() {
            return Self::privilege(&error, Privileges::running().explain_eperm(Refused::Program));
        }
        // The verifier always says why: where it says nothing, it was not asked.
        let creates = matches!(error.source.call, "bpf(BPF_PROG_LOAD)" | "bpf(BPF_MAP_CREATE)");
        if errno == Errno::EACCES && creates && error.log.is_none() {
            return Self::privilege(&error, Privileges::running().security_module());
        }
        Self::new(Exit::Refused, &error).hint(errno_hint(errno))
    }
}

/// What an errno of bpf(2) means where there is no log.
fn errno_hint(errno: Errno) -> &'static str {
    match errno {
        Errno::EINVAL => "a size, count, flag or type that this kernel does not allow",
        Errno::E2BIG => "larger than this kernel allows",
        Errno::ENOMEM => "the kernel has not enough memory, or the cgroup or RLIMIT_MEMLOCK (before 5.11) forbids it",
        Errno::ENOSYS => "this kernel has no bpf(2) (CONFIG_BPF_SYSCALL)",
        Errno::ENOSPC => "the verifier's log did not fit into the largest buffer",
        _ => "see bpf(2)",
    }
}
