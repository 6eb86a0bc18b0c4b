//! The command line: one file a command.

mod attach;
mod chapter;
mod check;
mod contents;
mod demo;
mod detach;
mod doctor;
mod dump;
mod duration;
mod events;
mod explain;
mod failure;
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
mod what;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use failure::{Exit, Failure};
use output::{Output, When};

/// The eBPF loader you can read.
///
/// Takes an ELF object that clang built for BPF, does by hand everything a loader does to its SEC("socket") programs,
/// hands them to the kernel through bpf(2), attaches them to a socket, and shows each step.
#[derive(Parser)]
#[command(name = "minibpf", version, after_help = EXAMPLES, after_long_help = LONG_AFTER)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  minibpf demo                                                the whole journey; nothing else needed
  minibpf check bpf-src/count.bpf.o                           would the kernel take it?
  minibpf explain bpf-src/count.bpf.o                         each step of its load, and why; needs no privileges
  minibpf report bpf-src/count.bpf.o -o count.html            the same as a page for a browser
  minibpf load bpf-src/count.bpf.o --connect 127.0.0.1:80     filter a TCP connection and talk through it
  minibpf run bpf-src/pass.bpf.o icmp 'tcp:80:GET /'          try a filter on packets, before it meets traffic
  minibpf dump pid:PID                                        what the maps of a running load hold, or anybody's
  minibpf doctor                                              what this kernel and these privileges allow
";

const LONG_AFTER: &str = "\
Examples:
  minibpf demo                                                the whole journey; nothing else needed
  minibpf check bpf-src/count.bpf.o                           would the kernel take it?
  minibpf explain bpf-src/count.bpf.o                         each step of its load, and why; needs no privileges
  minibpf report bpf-src/count.bpf.o -o count.html            the same as a page for a browser
  minibpf load bpf-src/count.bpf.o --connect 127.0.0.1:80     filter a TCP connection and talk through it
  minibpf run bpf-src/pass.bpf.o icmp 'tcp:80:GET /'          try a filter on packets, before it meets traffic
  minibpf dump pid:PID                                        what the maps of a running load hold, or anybody's
  minibpf doctor                                              what this kernel and these privileges allow
  minibpf load bpf-src/drop.bpf.o --set longer_than=100 --connect 127.0.0.1:80 --trace
  minibpf load bpf-src/count.bpf.o --listen udp:0.0.0.0:5353  a UDP server, filtered
  minibpf load bpf-src/pass.bpf.o --packet lo --count 10      ten packets of an interface
  minibpf load bpf-src/count.bpf.o --attach pid:PID:tcp:127.0.0.1:80
                                                              a server that is running already; minibpf sockets lists all

Exit status:
  0  done
  1  anything else
  2  usage: an option, or a name that the object does not have
  3  the object cannot be read or linked, or a pinned map does not fit it
  4  privileges are missing
  5  the kernel refused a program or a map
  6  socket, connect or attach failed
  7  timed out

Data goes to standard output; narration, progress and errors go to standard error.
";

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
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
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
