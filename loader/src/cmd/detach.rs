//! `minibpf detach`: the filter off somebody's socket, whoever put it there.

use clap::Args;
use minibpf::sys::filter::Present;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::output::Output;
use super::target::attach_to::AttachTo;
use super::target::classic::Bytecode;
use super::target::elsewhere;
use super::target::foreign::{Foreign, release, release_failure};
use super::trace::Tracer;

/// Take the filter off a socket that is open already.
#[derive(Args)]
pub(crate) struct Detach {
    /// pid:PID:FD, pid:PID:tcp:ADDR, pid:PID:udp:ADDR, fd:N, listen-fd:N, tun-filter:IFACE, tun-filter:pid:PID:FD, tun-steer:…
    #[arg(long, value_name = "HOOK")]
    attach: AttachTo,
    /// Put this classic filter in its place: COUNT,CODE JT JF K,… as `attach --replace` prints it
    #[arg(long, value_name = "CLASSIC")]
    restore: Option<Bytecode>,
    /// Each system call as it happens, in strace's words
    #[arg(long)]
    trace: bool,
}

impl Detach {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let tracer = Tracer::if_asked(output, self.trace);
        if !self.attach.is_socket() {
            return self.elsewhere(output, &tracer);
        }
        let (found, socket) = Foreign::find(&self.attach, &tracer)?;
        // A classic filter is put back in place of an eBPF one, not where somebody else has changed things since.
        if self.restore.is_some() && found.present(&socket, &tracer)? != Present::Ebpf {
            let why = format!("{}: {} has no eBPF filter that could be replaced", self.attach, found.words());
            return Err(Failure::new(Exit::Socket, why).hint("somebody has taken it off already; nothing was changed"));
        }
        let place = format!("{}: {}", self.attach, found.words());
        release(&socket, self.restore.as_ref(), &tracer)?.map_err(|error| release_failure(error, &place))?;
        let restored = self.restore.is_some();
        let then = if restored { "; the classic filter is back" } else { "" };
        output.say(format_args!("detached from {}{then}", found.words()));
        found.say_what_stays(&socket, output);
        output.data(&json!({
            "kind": "detached", "target": self.attach.to_string(), "hook": found.hook.name, "restored": restored,
        }))
    }

    fn elsewhere(&self, output: &Output, tracer: &Tracer<'_>) -> Result<(), Failure> {
        if self.restore.is_some() {
            return Err(Failure::new(Exit::Usage, "--restore is for sockets: there is no classic filter to put back"));
        }
        let hook = elsewhere::detach(&self.attach, tracer)?.hook().name;
        output.say(format_args!("nothing is attached to {} any more", self.attach));
        output.data(&json!({ "kind": "detached", "target": self.attach.to_string(), "hook": hook, "restored": false }))
    }
}
