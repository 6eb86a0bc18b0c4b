//! A filter on a socket that somebody else has opened. It stays there when minibpf is gone, so what undoes it is said first, and
//! a filter that is there already is not touched unasked.

use std::cell::Cell;
use std::os::fd::OwnedFd;

use minibpf::explain::{self, Call, Fd, Field};
use minibpf::hook::{Hook, foreign};
use minibpf::kernel::Program;
use minibpf::sys::filter::Present;
use minibpf::sys::{SysError, socket};
use nix::errno::Errno;
use nix::sys::socket::{getsockopt, sockopt};
use serde_json::json;

use super::attach_to::AttachTo;
use super::classic::Bytecode;
use super::opening::Opening;
use super::owner::Owner;
use super::{Flow, Opened, calls};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;
use crate::cmd::trace::Tracer;

/// A foreign socket that was found.
pub(crate) struct Foreign {
    at: AttachTo,
    pub(crate) owner: Owner,
    pub(crate) hook: Hook,
    words: String,
    /// The classic filter that is to be put back.
    saved: Option<Bytecode>,
    /// Whether a filter of ours is on it, which must not be left there by a command that fails.
    pub(super) is_on: Cell<bool>,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let Some(socket) = self.owner.socket().filter(|_| self.is_on.get()) else { return };
        // There is nobody left to tell if that fails, too.
        let _ = match &self.saved {
            Some(Bytecode(insns)) => foreign::restore(&socket, insns),
            None => minibpf::hook::socket::detach(&socket),
        };
    }
}

impl Foreign {
    /// Finds a socket.
    pub(crate) fn find(at: &AttachTo, tracer: &Tracer<'_>) -> Result<(Self, OwnedFd), Failure> {
        let (owner, socket) = Owner::find(at, tracer)?;
        let hook = foreign::hook_of(&socket).map_err(|error| Failure::new(Exit::Socket, format!("{at}: {error}")))?;
        let words = format!("{} socket, {}", hook.name, owner.words());
        Ok((Self { at: at.clone(), owner, hook, words, saved: None, is_on: Cell::new(false) }, socket))
    }

    /// Finds a socket that has no filter, or whose filter may be replaced.
    pub(super) fn to_attach(
        at: &AttachTo,
        replace: bool,
        output: &Output,
        tracer: &Tracer<'_>,
    ) -> Result<Self, Failure> {
        let (mut found, socket) = Self::find(at, tracer)?;
        let taken = |what: &str| Failure::new(Exit::Socket, format!("{at}: {} has {what} already", found.words));
        found.saved = match found.present(&socket, tracer)? {
            Present::None => None,
            Present::Classic(insns) if replace => {
                output.say(format_args!("its classic filter of {} instructions is saved", insns.len()));
                Some(Bytecode(insns))
            }
            Present::Ebpf if replace => {
                output.warn("unrecoverable", "the socket's eBPF filter is replaced, and nothing brings it back: the kernel does not say which program it is")?;
                None
            }
            Present::Classic(insns) => {
                return Err(taken(&format!("a classic filter of {} instructions", insns.len()))
                    .hint("--replace takes its place; it is saved, and put back on detach"));
            }
            Present::Ebpf => {
                return Err(taken("an eBPF filter")
                    .hint("--replace takes its place; it is lost then, for the kernel does not give it back"));
            }
        };
        Ok(found)
    }

    /// `SO_GET_FILTER`.
    pub(crate) fn present(&self, socket: &OwnedFd, tracer: &Tracer<'_>) -> Result<Present, Failure> {
        let present = foreign::present(socket);
        // For eBPF the answer is an error that says so.
        let result = match &present {
            Ok(Present::Ebpf) => Err(Errno::EACCES),
            Ok(_) => Ok(0),
            Err(error) => Err(error.errno),
        };
        tracer.call(|| get_filter(socket), result)?;
        present.map_err(|error| Failure::new(Exit::Socket, format!("{}: {error}", self.at)))
    }

    /// The command line that takes the filter off.
    fn undo(&self) -> String {
        // An address may be another socket's later; a descriptor is this one's for as long as it is open.
        let at = match &self.owner {
            Owner::Process { pid, fd, .. } => AttachTo::Descriptor { pid: *pid, fd: *fd },
            Owner::Inherited(_) => self.at.clone(),
        };
        let restore = self.saved.as_ref().map_or_else(String::new, |classic| format!(" --restore '{classic}'"));
        format!("minibpf detach --attach {at}{restore}")
    }

    /// What is attached to, in words.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    /// Puts the saved classic filter back, or takes the filter off.
    pub(crate) fn release(&self, socket: &OwnedFd, tracer: &Tracer<'_>) -> Result<Result<(), SysError>, Failure> {
        let released = release(socket, self.saved.as_ref(), tracer);
        // What was refused for a moment is tried once more when this is dropped.
        let is_off = |result: &Result<(), SysError>| !result.is_err_and(|error| error.errno != Errno::ENOENT);
        self.is_on.set(!released.as_ref().is_ok_and(is_off));
        released
    }

    /// Says what a listener leaves behind: each connection has a reference of its own to the filter.
    pub(crate) fn say_what_stays(&self, socket: &OwnedFd, output: &Output) {
        if getsockopt(socket, sockopt::AcceptConn) == Ok(true) {
            output.say("connections that it accepted meanwhile keep the filter until they are closed: minibpf sockets shows them");
        }
    }

    /// Whether the filter is there to stay.
    pub(crate) fn is_locked(&self, socket: &OwnedFd) -> bool {
        socket::is_locked(socket).unwrap_or(false)
    }
}

impl Opening<'_> {
    pub(super) fn foreign(&mut self, found: Foreign) -> Result<Opened, Failure> {
        let gone = || Failure::new(Exit::Socket, format!("{}: {} has closed it", found.at, found.words));
        let socket = found.owner.socket_again(self.tracer)?.ok_or_else(gone)?;
        if !self.lock {
            let undo = found.undo();
            self.output.say(format_args!("to undo it: {undo}"));
            self.output.data(&json!({ "kind": "undo", "command": undo }))?;
        }
        self.attach_noting(&socket, "the process goes on with the filter", &found.is_on)?;
        let (pid, fd) = match &found.owner {
            Owner::Process { pid, fd, .. } => (Some(*pid), Some(*fd)),
            Owner::Inherited(_) => (None, None),
        };
        let facts = json!({ "target": found.at.to_string(), "pid": pid, "fd": fd, "when": "while open" });
        // Watched for the process's end. The socket itself is not kept: held open here, its owner could not close it.
        let (socket, words) = (found.owner.process()?, found.words.clone());
        let opened = Opened::new(found.hook, Flow::Foreign, socket, words, facts);
        Ok(Opened { foreign: Some(found), ..opened })
    }
}

/// Puts a classic filter back, or takes the filter off; what the kernel says is for the caller to judge.
pub(crate) fn release(
    socket: &OwnedFd,
    saved: Option<&Bytecode>,
    tracer: &Tracer<'_>,
) -> Result<Result<(), SysError>, Failure> {
    let Some(Bytecode(insns)) = saved else {
        let result = minibpf::hook::socket::detach(socket);
        tracer.result(|| explain::detach(Fd::of(socket), "the socket goes on without the filter"), &result)?;
        return Ok(result);
    };
    let result = foreign::restore(socket, insns);
    let call = || {
        let program = format!("{{len={}, filter=...}}", insns.len());
        option("setsockopt", socket, "SO_ATTACH_FILTER", program, 16, "the classic filter takes its place again")
    };
    tracer.result(call, &result)?;
    Ok(result)
}

/// What a foreign socket's filter said no to, in words.
pub(crate) fn release_failure(error: SysError, place: &str) -> Failure {
    let failure = Failure::new(Exit::Socket, format!("{place}: {error}"));
    match error.errno {
        Errno::ENOENT => failure.hint("the socket has no filter"),
        Errno::EPERM => {
            failure.hint("the filter is locked (SO_LOCK_FILTER): it goes when the socket is closed, not before")
        }
        _ => failure,
    }
}

fn get_filter(socket: &OwnedFd) -> Call {
    option("getsockopt", socket, "SO_GET_FILTER", "NULL".to_owned(), 0, "which filter is there")
}

fn option(syscall: &'static str, socket: &OwnedFd, name: &str, value: String, len: u64, why: &str) -> Call {
    let fields = vec![
        ("fd", Field::Fd(Fd::of(socket))),
        ("level", Field::Constant("SOL_SOCKET".to_owned())),
        ("optname", Field::Constant(name.to_owned())),
        ("optval", Field::Constant(value)),
        ("optlen", Field::Number(len)),
    ];
    calls::plain(syscall, fields, why)
}

/// Takes the filter off a socket of one's own.
pub(crate) fn detach_own(socket: &OwnedFd, program: &Program, tracer: &Tracer<'_>) -> Result<(), Failure> {
    // That it is off already (the connection may be dead), or locked, is no failure: it goes with the socket.
    let result = program.detach(socket);
    tracer.result(|| explain::detach(Fd::of(socket), "the socket could go on without the filter"), &result)
}
