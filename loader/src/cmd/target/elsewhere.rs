//! What somebody else holds and `SO_ATTACH_BPF` is not for: a tun device, or an `SO_REUSEPORT` group, by a descriptor of a process.

use std::cell::Cell;
use std::os::fd::OwnedFd;

use minibpf::hook::{Hook, reuseport};
use nix::errno::Errno;
use serde_json::json;

use super::attach_to::{AttachTo, Device};
use super::opened::{Flow, Opened};
use super::opening::Opening;
use super::owner::Owner;
use super::{group, tun};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::trace::Tracer;

/// Said of a group that others have made.
const REPLACES: &str = "a program that the group has already is replaced, and nothing brings it back: the kernel does not say whether there is one";

/// What is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    Tun {
        steers: bool,
    },
    /// One socket of the group will do.
    Reuseport,
}

impl Elsewhere {
    pub(crate) fn hook(self) -> Hook {
        match self {
            Self::Tun { steers } => tun::hook(steers),
            Self::Reuseport => reuseport::HOOK,
        }
    }
}

/// A program of ours on what somebody else holds; not left there by a command that fails.
pub(crate) struct Held {
    what: Elsewhere,
    pub(super) owner: Owner,
    pub(super) is_on: Cell<bool>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(socket) = self.owner.socket().filter(|_| self.is_on.get()) else { return };
        // There is nobody left to tell if that fails, too.
        let _ = match self.what {
            Elsewhere::Tun { steers } => tun::set(steers, &socket, None),
            Elsewhere::Reuseport => reuseport::detach_reuseport(&socket),
        };
    }
}

impl Held {
    /// Takes the program off at the end of a load; `false` if the owner has closed what it had.
    pub(super) fn release(&self, tracer: &Tracer<'_>) -> Result<bool, Failure> {
        let Some(socket) = self.owner.socket_again(tracer)? else { return Ok(false) };
        // What was refused for a moment is tried once more when this is dropped.
        let released = release(self.what, &socket, tracer);
        self.is_on.set(released.is_err());
        released.map(|()| true)
    }
}

/// Finds what is meant.
pub(super) fn find(at: &AttachTo, tracer: &Tracer<'_>) -> Result<(Elsewhere, Owner), Failure> {
    match at {
        AttachTo::Tun { steers, device: Device::Descriptor { pid, fd } } => {
            Ok((Elsewhere::Tun { steers: *steers }, Owner::tun(*pid, *fd, tracer)?.0))
        }
        AttachTo::ReuseportOf { pid, fd } => {
            let (owner, _) = Owner::find(&AttachTo::Descriptor { pid: *pid, fd: *fd }, tracer)?;
            Ok((Elsewhere::Reuseport, owner))
        }
        _ => Err(Failure::new(Exit::Usage, format!("{at}: minibpf's own, which goes when its load ends"))),
    }
}

impl Opening<'_> {
    pub(super) fn elsewhere(&mut self, what: Elsewhere, owner: Owner, at: &AttachTo) -> Result<Opened, Failure> {
        let words = owner.words();
        let gone = || Failure::new(Exit::Socket, format!("{at}: its owner has closed it"));
        let held = owner.socket_again(self.tracer)?.ok_or_else(gone)?;
        let undo = format!("minibpf detach --attach {at}");
        self.output.say(format_args!("to undo it: {undo}"));
        self.output.data(&json!({ "kind": "undo", "command": undo }))?;
        let found = Held { what, owner, is_on: Cell::new(false) };
        match what {
            Elsewhere::Tun { steers } => self.set_tun(steers, &held, &found.is_on)?,
            Elsewhere::Reuseport => {
                // Unlike a socket's own filter: nothing answers for a group's.
                self.output.warn("unrecoverable", REPLACES)?;
                self.set_reuseport(&held, &found.is_on)?;
            }
        }
        let facts = json!({ "target": at.to_string(), "when": "while open" });
        let kind = if what == Elsewhere::Reuseport { "the group of" } else { "the tun device of" };
        // Watched for the process's end; what it holds is not held here.
        let process = found.owner.process()?;
        let opened = Opened::new(what.hook(), Flow::Elsewhere, process, format!("{kind} {words}"), facts);
        Ok(Opened { elsewhere: Some(found), ..opened })
    }
}

/// Takes the program off.
pub(crate) fn release(what: Elsewhere, held: &OwnedFd, tracer: &Tracer<'_>) -> Result<(), Failure> {
    match what {
        Elsewhere::Tun { steers } => tun::release(steers, held, tracer),
        Elsewhere::Reuseport => group::detach_reuseport(held, tracer)?.map_err(|error| {
            let failure = Failure::new(Exit::Socket, error);
            match error.errno {
                Errno::ENOENT => {
                    failure.hint("the group has no program, or is none: SO_REUSEPORT is set before bind(2)")
                }
                _ => failure,
            }
        }),
    }
}

/// Takes the program off what `detach` names.
pub(crate) fn detach(at: &AttachTo, tracer: &Tracer<'_>) -> Result<Elsewhere, Failure> {
    if let AttachTo::Tun { steers, device: Device::Named(name) } = at {
        tun::release(*steers, &tun::open_to_detach(name, tracer)?, tracer)?;
        return Ok(Elsewhere::Tun { steers: *steers });
    }
    let (what, owner) = find(at, tracer)?;
    let gone = || Failure::new(Exit::Socket, format!("{at}: its owner has closed it"));
    release(what, &owner.socket_again(tracer)?.ok_or_else(gone)?, tracer)?;
    Ok(what)
}
