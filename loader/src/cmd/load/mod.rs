//! `minibpf load`: load, attach, watch. The main job, top to bottom in [`Load::run`].

pub(super) mod endpoint;
pub(super) mod pump;
mod session;
mod sink;
mod summary;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use minibpf::observe::events::{EventTypes, has_events};
use minibpf::plan::{Plan, ProgLoad};

use super::duration;
use super::events::Events;
use super::events::types::{self, EventType};
use super::failure::{Exit, Failure};
use super::object::{self, PlanOptions};
use super::options::StepOptions;
use super::output::Output;
use super::show;
use super::signals::Signals;
use super::stats::Stats;
use super::steps;
use super::target::opening::Opening;
use super::target::{Target, TargetOptions};
use super::trace::{Tracer, dry_run};
use session::Session;

/// Load a socket filter, attach it, and watch what it does.
///
/// With --connect and --listen, standard input is sent to the socket and what the socket receives is written to standard
/// output, as nc does. It ends when the peer closes (a listener goes on with the next), a limit is reached, or Ctrl-C comes: then
/// the filter is detached and a summary printed.
#[derive(Args)]
pub(crate) struct Load {
    /// Object file from `clang --target=bpf`; - is standard input, unless the target passes that on
    #[arg(value_name = "OBJ")]
    object: PathBuf,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: TargetOptions,
    #[command(flatten)]
    plan: PlanOptions,
    #[command(flatten)]
    steps: StepOptions,
    /// Stop after this time: 500ms, 10s, 2m
    #[arg(long, value_name = "T", value_parser = duration::parse)]
    duration: Option<Duration>,
    /// Stop after this many events of the filter's ring buffers and perf event arrays; without such, after this many datagrams or packets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// The events of this map are such structs; repeatable. Without it the size decides, if only one struct has it
    #[arg(long, value_name = "MAP=STRUCT", value_parser = types::parse)]
    event_type: Vec<EventType>,
    /// Every so often, say what the program and its socket have counted since
    #[arg(long, value_name = "T", value_parser = duration::parse)]
    watch: Option<Duration>,
    /// Give up looking up the name and connecting after this time
    #[arg(long, value_name = "T", value_parser = duration::parse, default_value = "5s")]
    timeout: Duration,
    /// Do not switch on the kernel's machine-wide run statistics
    #[arg(long)]
    no_stats: bool,
    /// With --json: keep what the socket receives in this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Load {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.check_options(output)?;
        let bytes = object::read(&self.object)?;
        object::with_plan(&self.object, &bytes, &self.plan, output, |spec, plan| {
            let program = object::the_only_program(plan)?;
            self.check_count(plan)?;
            let btf = show::uploaded_btf(plan);
            let types = types::choose(&self.event_type, plan, btf.as_ref())?;
            let warn_of_lints = |byte0| object::warn_of_lints(output, None, spec, plan, byte0);
            if self.steps.dry_run {
                warn_of_lints(None)?;
                dry_run(output, plan)?;
                return self.target.dry_run(output, &self.how);
            }
            object::refuse_unresolved(plan)?;
            self.load(output, plan, program, types, warn_of_lints)
        })
    }

    fn load(
        &self,
        output: &Output,
        plan: &Plan,
        program: &ProgLoad,
        types: EventTypes<'_>,
        warn_of_lints: impl FnOnce(Option<&'static str>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let tracer = Tracer::if_asked(output, self.steps.trace);
        let started = Instant::now();
        let signals = Signals::catch()?;
        let place = self.target.find(&self.how, self.timeout, &signals, output, &tracer)?;

        let mut kernel = steps::take(&tracer, output, plan, &self.object, &self.steps)?;
        // What the verifier refuses is explained by its refusal.
        warn_of_lints(place.byte0())?;
        let lost = || Failure::new(Exit::Other, format!("program `{}` was not loaded", program.name));
        let loaded = kernel.program(program.id).ok_or_else(lost)?;

        let events = Events::of(&kernel, output, &tracer, types)?;
        let mut stats = Stats::new(!self.no_stats);
        let mut opening = Opening {
            output,
            tracer: &tracer,
            program: loaded,
            lock: self.how.lock,
            deadline: started + self.timeout,
            signals: &signals,
            stats: &mut stats,
        };
        let opened = place.open(&mut opening)?;

        let session = Session { output, tracer: &tracer, plan, program, kernel: &kernel, loaded, opened };
        let limits = pump::Limits { until: self.duration.map(|duration| started + duration), count: self.count };
        let watched = self.go_on(&session, events, limits, &signals, &stats);
        if watched.as_ref().map_or_else(|failure| failure.exit == Exit::Done, |()| true) {
            kernel.take_pins().keep();
        }
        watched
    }

    /// From the first word about the attached filter to the last.
    fn go_on(
        &self,
        session: &Session<'_>,
        events: Events<'_>,
        limits: pump::Limits,
        signals: &Signals,
        stats: &Stats,
    ) -> Result<(), Failure> {
        let shown = session.announce()?;
        let (traffic, seen) = session.watch(events, limits, self.watch, self.output.as_deref(), signals)?;
        session.summary(&shown, &traffic, &seen, stats)
    }

    /// What the arguments say that cannot be meant.
    fn check_options(&self, output: &Output) -> Result<(), Failure> {
        self.target.check(&self.how)?;
        let usage = |why: &str| Err(Failure::new(Exit::Usage, why));
        let carries_streams = self.target.flow().carries_streams();
        if self.object.as_os_str() == "-" && carries_streams {
            return usage("OBJ is standard input, which is sent to the socket: name a file");
        }
        if self.output.is_some() && !carries_streams {
            return usage("--output keeps what is received with --connect and --listen");
        }
        if self.output.is_some() && !output.json {
            return usage("--output goes with --json; without, standard output is the file");
        }
        Ok(())
    }

    fn check_count(&self, plan: &Plan) -> Result<(), Failure> {
        let has_events = plan.maps().any(|map| has_events(map.attr.map_type));
        if self.count.is_some() && !has_events && !self.target.flow().is_datagrams() {
            let why = "--count counts the events of ring buffers and perf event arrays, and this filter has none: use --duration";
            return Err(Failure::new(Exit::Usage, why));
        }
        Ok(())
    }
}
