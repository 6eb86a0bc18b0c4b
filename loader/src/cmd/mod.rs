//! The command line: one file a command.

mod attach;
mod chapter;
mod check;
mod completions;
mod contents;
mod demo;
mod detach;
mod doctor;
mod dump;
mod duration;
mod events;
pub(crate) mod examples;
mod explain;
mod failure;
pub(crate) mod help;
mod hooks;
mod host_port;
mod least;
mod load;
mod object;
mod options;
mod output;
mod pins;
mod report;
mod run;
mod set;
mod show;
mod signals;
mod sockets;
mod statistics;
mod stats;
mod steps;
mod target;
mod trace;
mod version;
mod what;

use std::process::ExitCode;

use clap::{Args, FromArgMatches as _, Parser, Subcommand};

use failure::{Exit, Failure};
use output::{Output, When};

/// The eBPF loader you can read.
///
/// Takes an ELF object that clang built for BPF, does by hand everything a loader does to its SEC("socket") programs,
/// hands them to the kernel through bpf(2), attaches them to a socket, and shows each step.
#[derive(Parser)]
#[command(name = "minibpf", version = version::short(), long_version = version::long())]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Check(check::Check),
    Load(Box<load::Load>),
    Run(Box<run::Run>),
    Explain(explain::Explain),
    Report(report::ReportArgs),
    Doctor(doctor::Doctor),
    Attach(attach::Attach),
    Detach(detach::Detach),
    Sockets(sockets::Sockets),
    Dump(dump::Dump),
    Set(set::Set),
    Completions(completions::Completions),
}

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Output")]
struct Common {
    /// JSON Lines on standard output
    #[arg(short, long, global = true)]
    json: bool,
    /// Indent the JSON (implies --json)
    #[arg(short, long, global = true)]
    pretty: bool,
    /// Colour on standard error
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto, global = true)]
    color: When,
    /// Less narration
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// More narration: long arguments in full
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    let mut command = help::command();
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error.format(&mut command)),
    };
    let output = Output::new(&cli.common);
    let result = match &cli.command {
        Command::Demo(demo) => demo.run(&output),
        Command::Check(check) => check.run(&output),
        Command::Load(load) => load.run(&output),
        Command::Run(run) => run.run(&output),
        Command::Explain(explain) => explain.run(&output),
        Command::Report(report) => report.run(&output),
        Command::Doctor(doctor) => doctor.run(&output),
        Command::Attach(attach) => attach.run(&output),
        Command::Detach(detach) => detach.run(&output),
        Command::Sockets(sockets) => sockets.run(&output),
        Command::Dump(dump) => dump.run(&output),
        Command::Set(set) => set.run(&output),
        Command::Completions(completions) => completions.run(&output),
    };
    match result {
        Ok(()) => Exit::Done.into(),
        Err(failure) => output.fail(&failure),
    }
}

/// clap's own message; under `--json` also as data.
fn usage(error: &clap::Error) -> ExitCode {
    let help = !error.use_stderr();
    if !help && std::env::args_os().any(|arg| arg.to_string_lossy().contains(output::commands)) {
        // clap repeats the argument as it is, so it is printed as any other foreign text.
        output::tell_unpainted(error.render().to_string().trim_end());
    } else {
        // The message goes to a terminal that may be gone; there is nobody left to tell.
        let _ = error.print();
    }
    if help {
        return Exit::Done.into();
    }
    if std::env::args_os().skip(1).any(|arg| asks_for_json(&arg.to_string_lossy())) {
        let text = error.render().to_string();
        // A message of several lines names the missing arguments; what follows a blank line is how to use the command.
        let message: Vec<_> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
        let message = message.join(" ").trim_start_matches("error: ").to_owned();
        let failure = Failure::new(Exit::Usage, message).hint("minibpf --help shows the commands");
        let _ = output::write_line(&failure.json(), false);
    }
    Exit::Usage.into()
}

/// Whether an argument is `--json`, `--pretty`, or short options with `j` or `p` among them.
fn asks_for_json(arg: &str) -> bool {
    let short = || arg.strip_prefix('-').is_some_and(|flags| flags.chars().all(|flag| "jpqv".contains(flag)));
    matches!(arg, "--json" | "--pretty") || (arg.contains(['j', 'p']) && short())
}
