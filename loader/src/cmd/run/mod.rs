//! `minibpf run`: what a filter does with packets, before it meets traffic. Top to bottom in [`Run::try_all`].

mod changes;
mod counts;
mod events;
mod expect;
mod expect_map;
mod how;
mod input;
mod progress;
mod real;
mod report;
mod session;
mod source;
mod trial;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use minibpf::kernel::Kernel;
use minibpf::plan::{Plan, ProgLoad, Step};
use minibpf::sys::netns;
use nix::errno::Errno;

use super::events::types::{self as event_types, EventType};
use super::failure::{Exit, Failure};
use super::object::{self, PlanOptions};
use super::options::StepOptions;
use super::output::Output;
use super::signals::Signals;
use super::stats::Stats;
use super::steps;
use super::target::opening::Opening;
use super::trace::{Tracer, dry_run};
use super::{duration, show};
use changes::Changes;
use events::Events;
use expect::{Expectation, Expectations};
use expect_map::MapExpectations;
use how::How;
use input::Input;
use progress::Progress;
use report::Report;
use session::{Limits, Session};
use trial::Trial;

/// Try a filter on packets, before it meets traffic.
///
/// PACKETS are made by name, or come from --data and --pcap; all are Ethernet frames. Each goes through the filter, and what the
/// filter returned is printed: 0 drops a packet, its length or more keeps it whole, anything between trims it to that many bytes.
/// With --expect and --expect-map that becomes a test: exit status 1, and the first difference.
#[derive(Args)]
#[command(mut_arg("pin", |pin| pin.hide(true)))]
pub(crate) struct Run {
    /// Object file from `clang --target=bpf`; - is standard input
    #[arg(value_name = "OBJ")]
    object: PathBuf,
    /// Packets by name: tcp:PORT:PAYLOAD, udp:PORT:PAYLOAD, icmp, and tcp6, udp6, icmp6 over IPv6. \r, \n and \xNN stand for bytes
    /// of the payload; tcp without a payload is a SYN
    #[arg(value_name = "PACKETS")]
    packets: Vec<String>,
    /// A packet's bytes, from its Ethernet header on: hex digits, or @FILE for a file of the bytes themselves; repeatable
    #[arg(long, value_name = "HEX|@FILE", help_heading = "Packets")]
    data: Vec<String>,
    /// The packets of a capture file, pcap or pcapng; - is standard input; repeatable. Packets without an Ethernet header (raw IP,
    /// cooked, loopback) are given one
    #[arg(long, value_name = "FILE", help_heading = "Packets")]
    pcap: Vec<PathBuf>,
    /// Go on after a packet that cannot be used, or a record or a file that cannot be read. The exit status is 1 all the same
    #[arg(long, help_heading = "Packets")]
    keep_going: bool,
    /// How a packet reaches the filter
    #[arg(long = "as", value_name = "HOW", value_enum, default_value_t = How::TestRun)]
    how: How,
    /// Run the filter so many times on each packet, and print the mean time of a run. What it counts, it counts as often
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// What is to become of every packet, or with N: of packet N: keep, trim, drop, or the number that is returned; repeatable
    #[arg(long, value_name = "[N:]VERDICT", help_heading = "Assertions", allow_hyphen_values = true)]
    expect: Vec<Expectation>,
    /// What a map or a global holds in the end, typed by its BTF: MAP[KEY]=VALUE, MAP[KEY].MEMBER=VALUE, VAR=VALUE; VALUE absent:
    /// there is no such key; repeatable
    #[arg(long, value_name = "NAME[KEY]=VALUE", help_heading = "Assertions")]
    expect_map: Vec<String>,
    /// The events of MAP are structs of this name; repeatable
    #[arg(long, value_name = "MAP=STRUCT", value_parser = event_types::parse)]
    event_type: Vec<EventType>,
    #[command(flatten)]
    plan: PlanOptions,
    #[command(flatten)]
    steps: StepOptions,
    /// Stop after this time: 500ms, 10s, 2m
    #[arg(long, value_name = "T", value_parser = duration::parse)]
    duration: Option<Duration>,
    /// Stop after this many events of the filter's ring buffers and perf event arrays; without such, after this many packets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// With a real socket: give a packet up for lost after this time
    #[arg(long, value_name = "T", value_parser = duration::parse, default_value = "5s")]
    timeout: Duration,
}

impl Run {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.check_options()?;
        let until = self.duration.map(|duration| Instant::now() + duration);
        let limits = Limits { signals: Signals::catch()?, until, count: self.count };
        let input = Input::new(&self.packets, &self.data, &self.pcap, limits.stop()?, self.keep_going)?;
        if self.how == How::TestRun || self.steps.dry_run {
            return self.read_and_run(output, input, &limits);
        }
        netns::inside(|| self.read_and_run(output, input, &limits)).map_err(|error| match error.errno {
            Errno::EPERM if error.call.contains("SIOC") => Failure::new(Exit::Privileges, error)
                .hint("the loopback interface of a new network namespace is brought up with CAP_NET_ADMIN; --as test-run does without"),
            Errno::EPERM => Failure::new(Exit::Privileges, error)
                .hint("a network namespace of its own needs CAP_SYS_ADMIN; --as test-run does without"),
            _ => Failure::new(Exit::Socket, error),
        })?
    }

    fn read_and_run(&self, output: &Output, input: Input, limits: &Limits) -> Result<(), Failure> {
        let bytes = object::read(&self.object)?;
        object::with_plan(&self.object, &bytes, &self.plan, output, |spec, plan| {
            let program = object::the_only_program(plan)?;
            let byte0 = Some(self.how.byte0()).filter(|_| self.how != How::Packet);
            let warn_of_lints = || object::warn_of_lints(output, None, spec, plan, byte0);
            if self.steps.dry_run {
                warn_of_lints()?;
                return dry_run(output, plan);
            }
            object::refuse_unresolved(plan)?;
            let tracer = Tracer::if_asked(output, self.steps.trace);
            let kernel = steps::take(&tracer, output, plan, &self.object, &self.steps)?;
            warn_of_lints()?;
            self.try_all(&tracer, plan, program, &kernel, input, limits)
        })
    }

    /// Each packet through the filter, then what is to be said of all.
    fn try_all(
        &self,
        tracer: &Tracer<'_>,
        plan: &Plan,
        program: &ProgLoad,
        kernel: &Kernel,
        mut input: Input,
        limits: &Limits,
    ) -> Result<(), Failure> {
        let output = tracer.output();
        let btf = show::uploaded_btf(plan);
        let expected_maps = MapExpectations::resolve(&self.expect_map, kernel, btf.as_ref())?;
        let types = event_types::choose(&self.event_type, plan, btf.as_ref())?;
        let twin = self.twin(output, plan)?;
        let opening = Opening {
            output,
            tracer,
            program: kernel.program(program.id).ok_or_else(|| lost(program))?,
            lock: false,
            deadline: Instant::now() + self.timeout,
            signals: &limits.signals,
            stats: &mut Stats::new(false),
        };
        let twin = twin.as_ref().and_then(|kernel| Some((kernel.program(program.id)?, kernel)));
        let mut session = Session {
            trial: Trial::new(opening, self.how, self.timeout, self.repeat, limits.until, twin)?,
            events: Events::new(kernel, tracer, types)?,
            changes: if output.is_verbose() { Some(Changes::new(kernel, btf.as_ref())?) } else { None },
            expectations: Expectations::new(&self.expect),
            report: Report::new(output, &program.name, self.how, self.repeat),
            progress: Progress::new(output),
        };
        session.run(&mut input, limits, self.keep_going)?;
        for file in input.without_packets().iter().filter(|_| !limits.is_over()) {
            output.warn("no-packets", format_args!("{}: no packets in it", file.escape_debug()))?;
        }
        session.expectations.end(session.report.packets(), self.how)?;
        expected_maps.check()?;
        session.report.end()
    }

    /// The program once more, and maps of its own, for the test runs that real sockets are compared with. Not where a pinned map
    /// would be written twice.
    fn twin(&self, output: &Output, plan: &Plan) -> Result<Option<Kernel>, Failure> {
        if self.how == How::TestRun {
            return Ok(None);
        }
        if plan.steps.iter().any(|step| matches!(step, Step::Pin(_))) {
            output.say("nothing is compared with a test run, for that would write the pinned map once more");
            return Ok(None);
        }
        steps::take(&Tracer::if_asked(output, false), output, plan, &self.object, &self.steps).map(Some)
    }

    /// What the arguments say that cannot be meant.
    fn check_options(&self) -> Result<(), Failure> {
        let usage = |why: &str, hint: &str| Err(Failure::new(Exit::Usage, why).hint(hint));
        if self.packets.is_empty() && self.data.is_empty() && self.pcap.is_empty() {
            return usage("no packets", "name some (tcp:80:hello, udp:53:x, icmp), or give --data HEX or --pcap FILE");
        }
        let stdin = Path::new("-");
        let readers = std::iter::once(&self.object).chain(&self.pcap).filter(|path| *path == stdin).count();
        if readers > 1 {
            return usage("standard input can be read only once", "give - once, as OBJ or as --pcap");
        }
        if self.repeat.is_some() && self.how != How::TestRun {
            return usage("--repeat is for test runs", "without --as, the same packet can be run many times");
        }
        if self.plan.makes_pins() {
            return usage("run leaves nothing behind, so it does not pin", "minibpf load and check take --pin");
        }
        Ok(())
    }
}

fn lost(program: &ProgLoad) -> Failure {
    Failure::new(Exit::Other, format!("program `{}` was not loaded", program.name))
}
