//! A filter on an open connection, from the first word about it to the last.

use std::path::Path;

use minibpf::explain::{Fd, detach};
use minibpf::kernel::{Kernel, Program};
use minibpf::plan::{Plan, ProgLoad};
use serde_json::json;

use super::events::{Events, rings};
use super::pump::{Limits, Pump, Traffic};
use crate::cmd::connect::Connected;
use crate::cmd::failure::Failure;
use crate::cmd::output::Output;
use crate::cmd::show::{self, Shown};
use crate::cmd::signals::Signals;
use crate::cmd::trace::{Tracer, merged};

pub(super) struct Session<'a> {
    pub(super) output: &'a Output,
    pub(super) tracer: &'a Tracer<'a>,
    pub(super) plan: &'a Plan,
    /// What was to be loaded, and what it became.
    pub(super) program: &'a ProgLoad,
    pub(super) loaded: &'a Program,
    pub(super) kernel: &'a Kernel,
    pub(super) connected: Connected,
}

impl Session<'_> {
    /// Says what was loaded, and where it is attached. Only now is the kernel asked for ids and tag: up to the attach no call
    /// is made that the load does not need.
    pub(super) fn announce(&self, after_connect: bool) -> Result<Shown, Failure> {
        let Self { output, program, .. } = self;
        let Connected { local, peer, .. } = &self.connected;
        let shown = show::ask(self.tracer, self.kernel, self.plan, program, self.loaded)?;
        output.say(shown.text(program));
        let names = json!({ "kind": "loaded", "name": program.name, "section": program.section });
        output.data(&merged(names, shown.json(program)))?;
        output.say(format_args!("attached to tcp {local} -> {peer}; byte 0 of a packet is the TCP header"));
        output.data(&json!({
            "kind": "attached", "program": program.name, "hook": "tcp", "local": local.to_string(), "peer": peer.to_string(),
            "when": if after_connect { "after connect" } else { "before connect" }, "byte0": "TCP header",
        }))?;
        Ok(shown)
    }

    /// Lets the traffic through until something ends it.
    pub(super) fn watch(&self, limits: Limits, file: Option<&Path>, signals: &Signals) -> Result<Traffic, Failure> {
        let btf = show::uploaded_btf(self.plan);
        let events = Events::new(self.output, btf.as_ref());
        let rings = rings(self.kernel)?;
        Pump::new(self.output, events, &self.connected.stream, &rings, limits, file)?.run(signals)
    }

    /// Takes the filter off. That it is off already (the connection may be dead) is no failure.
    pub(super) fn detach(&self) -> Result<(), Failure> {
        let stream = &self.connected.stream;
        let result = self.loaded.detach(stream);
        self.tracer.result(|| detach(Fd::of(stream), "the connection could go on without the filter"), &result)
    }
}
