//! A filter on an open connection, from the first word about it to the last.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use minibpf::kernel::{Kernel, Program};
use minibpf::plan::{Plan, ProgLoad};
use serde_json::json;

use super::endpoint::Endpoint;
use super::pump::{Limits, Pump, Traffic};
use crate::cmd::events::{Events, Seen};
use crate::cmd::failure::Failure;
use crate::cmd::least::{self, Needs};
use crate::cmd::output::Output;
use crate::cmd::show::{self, Shown};
use crate::cmd::signals::Signals;
use crate::cmd::target::Opened;
use crate::cmd::target::foreign::detach_own;
use crate::cmd::trace::{Tracer, merged};

pub(super) struct Session<'a> {
    pub(super) output: &'a Output,
    pub(super) tracer: &'a Tracer<'a>,
    pub(super) plan: &'a Plan,
    /// What was to be loaded, and what it became.
    pub(super) program: &'a ProgLoad,
    pub(super) loaded: &'a Program,
    pub(super) kernel: &'a Kernel,
    pub(super) opened: Opened,
}

impl Session<'_> {
    /// Says what was loaded, and where it is attached. Only now is the kernel asked for ids and tag: up to the attach no call
    /// is made that the load does not need.
    pub(super) fn announce(&self) -> Result<Shown, Failure> {
        let Self { output, program, .. } = self;
        let shown = show::ask(self.tracer, self.kernel, self.plan, program, self.loaded)?;
        output.say(shown.text(program));
        let names = json!({ "kind": "loaded", "name": program.name, "section": program.section });
        output.data(&merged(names, shown.json(program)))?;
        self.opened.announce(output, &program.name)?;
        Ok(shown)
    }

    /// Lets the traffic through until something ends it, then takes the filter off, and prints what it had still reported.
    pub(super) fn watch(
        &self,
        events: Events<'_>,
        limits: Limits,
        pause: Option<Duration>,
        file: Option<&Path>,
        signals: &Signals,
    ) -> Result<(Traffic, Seen), Failure> {
        let endpoint = Endpoint::new(&self.opened)?;
        let mut pump = Pump::new(self.output, events, endpoint, limits, file)?;
        if let Some(pause) = pause {
            pump.show_every(pause, self.loaded)?;
        }
        least::keep_only(&self.needs(), self.output)?;
        let mut traffic = pump.run(signals)?;
        let detached = self.detach(pump.endpoint.accepted());
        let seen = pump.last_events()?;
        traffic.stays = !detached?;
        Ok((traffic, seen))
    }

    /// What is still to be done that needs a privilege.
    fn needs(&self) -> Needs {
        let mut needs = self.opened.needs();
        for step in &self.plan.steps {
            // Pins are removed if the load fails after all.
            if let Some(path) = step.pins_at() {
                needs.removes(path);
            }
        }
        needs
    }

    fn detach(&self, accepted: Option<&OwnedFd>) -> Result<bool, Failure> {
        if let Some(accepted) = accepted {
            detach_own(accepted, self.loaded, self.tracer)?;
        }
        self.opened.detach(self.output, self.tracer, self.loaded)
    }
}
