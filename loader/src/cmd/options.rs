//! How the steps of a load are taken, and what is shown of them: the options that `check`, `load` and `run` share.

use clap::Args;
use minibpf::kernel::LogRequest;

/// How the steps are taken.
#[derive(Args)]
pub(crate) struct StepOptions {
    /// Each system call as it happens, in strace's words
    #[arg(long)]
    pub(crate) trace: bool,
    /// Everything but the system calls
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask for the verifier's log even of a program that loads; 1: the path that is refused, and how much was walked, 2: every path
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = clap::value_parser!(u32).range(1..=2))]
    verifier_log: Option<u32>,
    /// Print the kernel's text unedited
    #[arg(long)]
    pub(crate) raw_log: bool,
}

impl StepOptions {
    /// Which log to ask the kernel for.
    pub(crate) fn log(&self) -> LogRequest {
        self.verifier_log.map_or(LogRequest::OnFailure, LogRequest::Always)
    }

    /// Whether the log of a refused program is printed whole.
    pub(crate) fn whole_log(&self) -> bool {
        self.raw_log || self.verifier_log.is_some()
    }
}
