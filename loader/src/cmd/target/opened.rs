//! A socket with the filter on it: how bytes come and go through it, and how the filter is taken off.

use std::os::fd::OwnedFd;

use minibpf::hook::Hook;
use minibpf::kernel::Program;
use nix::errno::Errno;
use serde_json::{Value as Json, json};

use super::datagrams::SocketFile;
use super::elsewhere::Held;
use super::foreign::{self, Foreign};
use super::owner::Owner;
use super::{group, tun};
use crate::cmd::failure::Failure;
use crate::cmd::least::Needs;
use crate::cmd::output::Output;
use crate::cmd::trace::{Tracer, merged};

/// How bytes come and go through a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// A connection, which ends when the peer closes it.
    Stream { is_tcp: bool },
    /// One connection after the other.
    Listener,
    /// Datagrams from and to one peer.
    Connected,
    /// Datagrams from anyone; answers go to whoever sent the last one.
    Bound,
    /// Copies of packets, which are counted and thrown away.
    Packets,
    /// Somebody else reads what comes.
    Foreign,
    /// The same, and how they fare is not looked at.
    Elsewhere,
    /// Several sockets, what each gets is counted and thrown away.
    Group(Member),
}

/// What the members of a group get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member {
    Datagrams,
    /// Each is closed as soon as it was accepted.
    Connections,
    /// What read(2) returns.
    Frames,
}

/// How a program is taken off at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// `SO_DETACH_BPF`.
    Filter,
    Reuseport,
    ByClosing,
    Tun {
        steers: bool,
    },
}

impl Flow {
    /// Whether standard input is sent, and what is received goes to standard output.
    pub(crate) fn carries_streams(self) -> bool {
        matches!(self, Self::Stream { .. } | Self::Listener | Self::Connected | Self::Bound)
    }

    /// Whether packets can be counted by reading them.
    pub(crate) fn is_datagrams(self) -> bool {
        matches!(self, Self::Connected | Self::Bound | Self::Packets | Self::Group(Member::Datagrams | Member::Frames))
    }
}

/// A socket with the filter on it.
pub(crate) struct Opened {
    pub(crate) hook: Hook,
    pub(crate) flow: Flow,
    /// The socket; of another process's, the process.
    pub(crate) socket: OwnedFd,
    /// The sockets of a group, or the queues of a device.
    pub(crate) members: Vec<OwnedFd>,
    pub(super) taken: Taken,
    /// Somebody else's socket.
    pub(crate) foreign: Option<Foreign>,
    /// Whoever has a device or a group elsewhere.
    pub(super) elsewhere: Option<Held>,
    /// `tcp 127.0.0.1:40000 -> 127.0.0.1:80`
    pub(crate) words: String,
    /// The same for the `attached` line.
    pub(crate) facts: Json,
    /// Goes when the socket goes.
    pub(super) file: Option<SocketFile>,
}

impl Opened {
    pub(super) fn new(hook: Hook, flow: Flow, socket: OwnedFd, words: String, facts: Json) -> Self {
        Self {
            hook,
            flow,
            socket,
            words,
            facts,
            members: Vec::new(),
            taken: Taken::Filter,
            foreign: None,
            elsewhere: None,
            file: None,
        }
    }

    /// Says where the filter is, and what it finds there.
    pub(crate) fn announce(&self, output: &Output, program: &str) -> Result<(), Failure> {
        let Self { hook, words, facts, .. } = self;
        output.say(format_args!("attached to {words}; byte 0 of a packet is the {}", hook.byte0));
        let names = json!({ "kind": "attached", "program": program, "hook": hook.name });
        output.data(&merged(merged(names, facts.clone()), json!({ "byte0": hook.byte0 })))
    }

    /// Whoever has the socket, if it is somebody else.
    pub(crate) fn owner(&self) -> Option<&Owner> {
        self.foreign.as_ref().map(|found| &found.owner).or(self.elsewhere.as_ref().map(|held| &held.owner))
    }

    /// The privileges that are needed until the filter is taken off again.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = Needs::new();
        if let Some(SocketFile(path)) = &self.file {
            needs.removes(path);
        }
        if let Some(Owner::Process { pid, .. }) = self.owner() {
            needs.process(*pid);
        }
        needs
    }

    /// Leaves the filter where it is: from here on it is for `detach` to take it off.
    pub(crate) fn keep(&self) {
        let is_on = self.foreign.as_ref().map(|found| &found.is_on);
        if let Some(is_on) = is_on.or(self.elsewhere.as_ref().map(|held| &held.is_on)) {
            is_on.set(false);
        }
    }

    /// Takes the filter off at the end of a load; what cannot be taken off any more is said. Answers whether it is off.
    pub(crate) fn detach(&self, output: &Output, tracer: &Tracer<'_>, program: &Program) -> Result<bool, Failure> {
        match self.taken {
            Taken::Filter => {}
            Taken::Reuseport => return group::detach_reuseport(&self.socket, tracer).map(|_| true),
            Taken::ByClosing => return Ok(true),
            Taken::Tun { steers } => return tun::release(steers, &self.socket, tracer).map(|()| true),
        }
        if let Some(held) = &self.elsewhere {
            if !held.release(tracer)? {
                gone(output);
            }
            return Ok(true);
        }
        let Some(found) = &self.foreign else {
            return foreign::detach_own(&self.socket, program, tracer).map(|()| true);
        };
        let Some(socket) = found.owner.socket_again(tracer)? else {
            gone(output);
            return Ok(true);
        };
        if found.is_locked(&socket) {
            output.say("the filter is locked: it stays until the socket is closed");
            return Ok(false);
        }
        match found.release(&socket, tracer)? {
            Err(error) if error.errno == Errno::ENOENT => {
                output.say("somebody else has taken the filter off");
                Ok(true)
            }
            Err(error) => Err(foreign::release_failure(error, found.words())),
            Ok(()) => {
                found.say_what_stays(&socket, output);
                Ok(true)
            }
        }
    }
}

fn gone(output: &Output) {
    output.say("the socket was closed, and the filter went with it");
}
