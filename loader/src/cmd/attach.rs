//! `minibpf attach`: a program that is loaded already, onto a socket.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Args;
use minibpf::kernel::{Pinned, Program};
use minibpf::sys::SysError;
use minibpf::sys::id::Access;
use minibpf::uapi::names;
use nix::errno::Errno;
use serde_json::json;

use super::events::Events;
use super::failure::{Exit, Failure};
use super::least;
use super::load::endpoint::Endpoint;
use super::load::pump::{Limits, Pump};
use super::output::Output;
use super::signals::Signals;
use super::stats::Stats;
use super::target::foreign::detach_own;
use super::target::opening::Opening;
use super::target::{Flow, Opened, Target, TargetOptions};
use super::trace::Tracer;

/// How long a name lookup and a connect may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Attach a program that is loaded already, from a pin or by its id, to a socket.
///
/// With --attach it returns, and leaves the filter on; `minibpf detach` takes it off. A socket of its own it keeps open, passing
/// standard input and output through, until the peer closes or Ctrl-C comes.
#[derive(Args)]
pub(crate) struct Attach {
    /// A path in a bpffs (minibpf check --pin DIR, bpftool prog pin), or id:N
    #[arg(value_name = "PROG")]
    program: Loaded,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: TargetOptions,
    /// Each system call as it happens, in strace's words
    #[arg(long)]
    trace: bool,
}

/// A loaded program, as it is named.
#[derive(Debug, Clone)]
enum Loaded {
    Pinned(PathBuf),
    Id(u32),
}

impl FromStr for Loaded {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("id:") {
            Some(id) => Ok(Self::Id(id.parse().map_err(|_| format!("`{id}` is no program's number"))?)),
            None => Ok(Self::Pinned(text.into())),
        }
    }
}

impl Loaded {
    fn open(&self) -> Result<Program, Failure> {
        match self {
            Self::Pinned(path) => Program::pinned(path).map_err(|error| {
                if error.errno == Errno::EINVAL {
                    return no_filter(path);
                }
                let failure = self.failure(error, &path.display().to_string());
                match error.errno {
                    Errno::ENOENT => {
                        failure.hint("nothing is pinned there: minibpf check OBJ --pin DIR pins at DIR/PROG")
                    }
                    Errno::EACCES => failure.hint("no pin, or one whose mode does not let this user read and write it"),
                    _ => failure,
                }
            }),
            Self::Id(id) => Program::by_id(*id).map_err(|error| {
                let failure = self.failure(error, &format!("program {id}"));
                match error.errno {
                    Errno::ENOENT => failure.hint("bpftool prog show lists the programs that are loaded"),
                    Errno::EPERM => Failure { exit: Exit::Privileges, ..failure }
                        .hint("a program is opened by its number with CAP_SYS_ADMIN alone; a pin needs none"),
                    _ => failure,
                }
            }),
        }
    }

    fn failure(&self, error: SysError, name: &str) -> Failure {
        match error.errno {
            Errno::EINVAL => Failure::new(Exit::Socket, format!("{name}: not a socket filter")),
            _ => Failure::new(Exit::Socket, format!("{name}: {error}")),
        }
    }
}

/// What is pinned there instead of a socket filter.
fn no_filter(path: &Path) -> Failure {
    let what = match Pinned::open(path, Access::Read) {
        Ok(Pinned::Map(map)) => {
            format!(": it is the map `{}`, of type {}", map.name(), names::map_type_short(map.spec().attr.map_type))
        }
        Ok(Pinned::Program(program)) => {
            let info = program.info().map(|info| names::prog_type(info.prog_type));
            info.map_or_else(|_| String::new(), |kind| format!(": it is a program of type {kind}"))
        }
        Ok(Pinned::Other(kind)) => format!(": it is a {kind}"),
        Err(_) => String::new(),
    };
    let failure = Failure::new(Exit::Socket, format!("{}: not a socket filter{what}", path.display()));
    failure.hint("minibpf check OBJ --pin DIR pins programs at DIR/PROG, and maps at DIR/maps/MAP")
}

impl Attach {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.target.check(&self.how)?;
        let tracer = Tracer::if_asked(output, self.trace);
        let signals = Signals::catch()?;
        let program = self.program.open()?;
        let place = self.target.find(&self.how, TIMEOUT, &signals, output, &tracer)?;
        let mut opening = Opening {
            output,
            tracer: &tracer,
            program: &program,
            lock: self.how.lock,
            deadline: Instant::now() + TIMEOUT,
            signals: &signals,
            stats: &mut Stats::new(false),
        };
        let opened = place.open(&mut opening)?;
        opened.announce(output, program.name())?;
        match opened.flow {
            Flow::Foreign | Flow::Elsewhere => {
                opened.keep();
                Ok(())
            }
            _ => watch(output, &tracer, &program, &opened, &signals),
        }
    }
}

/// Passes the traffic of an own socket through.
fn watch(
    output: &Output,
    tracer: &Tracer<'_>,
    program: &Program,
    opened: &Opened,
    signals: &Signals,
) -> Result<(), Failure> {
    let limits = Limits { until: None, count: None };
    let mut pump = Pump::new(output, Events::none(output), Endpoint::new(opened)?, limits, None)?;
    least::keep_only(&opened.needs(), output)?;
    let traffic = pump.run(signals)?;
    if let Some(accepted) = pump.endpoint.accepted() {
        detach_own(accepted, program, tracer)?;
    }
    opened.detach(output, tracer, program)?;
    output.say(format_args!("detached: {}", traffic.ended));
    output.say(format_args!("{} bytes sent, {} bytes received", traffic.sent, traffic.received));
    output.data(&json!({
        "kind": "summary", "name": program.name(), "ended": traffic.ended, "bytes_sent": traffic.sent,
        "bytes_received": traffic.received, "drops": traffic.drops,
    }))
}
