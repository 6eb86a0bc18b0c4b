//! What `--help` looks like: the first sentence, examples, and then the rest.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use super::{Cli, examples};

/// The exit codes, for people.
pub(crate) const EXIT_STATUS: [(u8, &str); 8] = [
    (0, "done"),
    (1, "anything else"),
    (2, "usage: an option, or a name that the object does not have"),
    (3, "the object cannot be read or linked, or a pinned map does not fit it"),
    (4, "privileges are missing"),
    (5, "the kernel refused a program or a map"),
    (6, "socket, connect or attach failed"),
    (7, "timed out"),
];

/// Which stream is for what.
pub(crate) const STREAMS: &str = "Data goes to standard output; narration, progress and errors go to standard error.";

/// The definition of the command line, for the manual, whose parts have another order.
#[allow(dead_code, reason = "examples/man.rs is made of it")]
pub(crate) fn definition() -> Command {
    Cli::command()
}

/// The same with the examples where they are seen.
pub(crate) fn command() -> Command {
    let mut after = String::from("Exit status:\n");
    for (code, when) in EXIT_STATUS {
        // Memory takes everything.
        let _ = writeln!(after, "  {code}  {when}");
    }
    let _ = write!(after, "\n{STREAMS}");
    with_examples(Cli::command()).after_long_help(after).mut_subcommands(with_examples)
}

/// Puts the examples of a command right after its first sentence, and what else is said of it after them.
fn with_examples(command: Command) -> Command {
    let examples = examples::text(examples::of(command.get_name()));
    let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    let long = match long.split_once("\n\n") {
        Some((_, more)) => format!("{examples}\n{more}"),
        None => examples.clone(),
    };
    command
        .help_template("{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}")
        .long_about(None)
        .before_help(examples)
        .before_long_help(long)
}
