//! `minibpf completions`: what a shell needs to complete commands and options, made of their definition.

use clap::{Args, ValueEnum};
use clap_complete::{Shell as Dialect, generate};
use serde_json::json;

use super::failure::Failure;
use super::help;
use super::output::Output;

/// Print a script that completes minibpf's commands and options in a shell
#[derive(Args)]
pub(crate) struct Completions {
    /// Which shell it is for
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// The shells that there is a script for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let (name, dialect) = match self.shell {
            Shell::Bash => ("bash", Dialect::Bash),
            Shell::Zsh => ("zsh", Dialect::Zsh),
            Shell::Fish => ("fish", Dialect::Fish),
        };
        let mut script = Vec::new();
        generate(dialect, &mut help::command(), "minibpf", &mut script);
        let script = String::from_utf8_lossy(&script);
        output.data(&json!({ "kind": "completions", "shell": name, "script": script }))?;
        output.text(script.trim_end())
    }
}
