//! What opening a socket with a filter takes, whatever its kind: socket(2), the filter, bind(2), in this order.

use std::cell::Cell;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Instant;

use minibpf::explain::{self, Call, Fd};
use minibpf::hook::foreign;
use minibpf::kernel::Program;
use minibpf::sys::SysError;
use minibpf::sys::socket::{self, AF_PACKET, Kind, SOCK_RAW};
use nix::errno::Errno;
use nix::sys::socket::{SockaddrLike, SockaddrStorage, getsockname};

use super::calls::{self, Address};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::output::Output;
use crate::cmd::signals::Signals;
use crate::cmd::stats::Stats;
use crate::cmd::trace::Tracer;

/// What opening a socket needs to know.
pub(crate) struct Opening<'a> {
    pub(crate) output: &'a Output,
    pub(crate) tracer: &'a Tracer<'a>,
    pub(crate) program: &'a Program,
    /// Whether nothing may take the filter off again.
    pub(crate) lock: bool,
    pub(crate) deadline: Instant,
    pub(crate) signals: &'a Signals,
    /// Switched on when the first filter is in place, before packets come.
    pub(crate) stats: &'a mut Stats,
}

/// Before bind(2) and connect(2).
pub(super) const FIRST: &str = "before the socket has an address: no packet passes unfiltered";

impl Opening<'_> {
    /// Tries each address until one will do.
    pub(super) fn first<T>(
        &mut self,
        addresses: &[SocketAddr],
        mut one: impl FnMut(&mut Self, SocketAddr, Instant) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut failure = Failure::new(Exit::Socket, "the name has no address");
        for (number, address) in addresses.iter().enumerate() {
            // Each address gets its share of the time that is left: one that is silent must not starve the next.
            let left = self.deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(addresses.len() - number).unwrap_or(u32::MAX);
            match one(self, *address, Instant::now() + share) {
                Ok(opened) => return Ok(opened),
                Err(error) if error.is_silent() => return Err(error),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    pub(super) fn socket(&self, kind: Kind, why: &str) -> Result<OwnedFd, Failure> {
        let socket = socket::open(kind);
        let number = socket.as_ref().map(AsRawFd::as_raw_fd).map_err(|error| error.errno);
        self.tracer.call(|| calls::socket(kind, why), number)?;
        socket.map_err(|error| match error.errno {
            Errno::EPERM | Errno::EACCES => Failure::new(Exit::Privileges, error).hint(match kind {
                Kind { family: AF_PACKET, .. } | Kind { kind: SOCK_RAW, .. } => {
                    format!("a socket of {} needs CAP_NET_RAW", kind_words(kind))
                }
                _ => "it needs no privilege: a security module, a seccomp filter or a BPF program of the cgroup forbids it".to_owned(),
            }),
            Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT => {
                Failure::new(Exit::Socket, error).hint(format!("this kernel has no socket of {}", kind_words(kind)))
            }
            _ => Failure::new(Exit::Socket, error),
        })
    }

    /// Attaches the program and shows the call; locks it there, if that was asked for.
    pub(crate) fn attach(&mut self, socket: &OwnedFd, why: &str) -> Result<(), Failure> {
        self.attach_noting(socket, why, &Cell::new(false))
    }

    /// The same, and notes whether the program is there, which it may be though something fails later.
    pub(super) fn attach_noting(&mut self, socket: &OwnedFd, why: &str, is_on: &Cell<bool>) -> Result<(), Failure> {
        let result = self.program.attach(socket);
        is_on.set(result.is_ok());
        let call = || explain::attach(Fd::of(socket), &Fd::of(self.program), why);
        self.tracer.result(call, &result)?;
        result.map_err(|error| attach_failure(error, self.program))?;
        if self.lock {
            let result = foreign::lock(socket);
            let why = "from here on nothing takes it off";
            self.tracer.result(|| calls::set_option(Fd::of(socket), "SO_LOCK_FILTER", why), &result)?;
            result.map_err(|error| Failure::new(Exit::Socket, error))?;
        }
        self.stats.enable(self.output, self.tracer)
    }

    /// A program that was attached in another way than by `SO_ATTACH_BPF`.
    pub(super) fn attached(
        &mut self,
        call: impl FnOnce() -> Call,
        result: &Result<(), SysError>,
    ) -> Result<(), Failure> {
        self.tracer.result(call, result)?;
        result.map_err(|error| attach_failure(error, self.program))?;
        self.stats.enable(self.output, self.tracer)
    }

    /// bind(2).
    pub(super) fn bind(
        &self,
        socket: &OwnedFd,
        address: &dyn SockaddrLike,
        shown: impl Into<Address>,
        place: &str,
    ) -> Result<(), Failure> {
        let result = nix::sys::socket::bind(socket.as_raw_fd(), address);
        self.tracer.call(|| calls::bind(Fd::of(socket), shown, "from here on it receives"), result.map(|()| 0))?;
        result.map_err(|errno| bind_failure(errno, place))
    }

    /// bind(2) of an Internet socket; returns what port 0 became.
    pub(super) fn bind_inet(&self, socket: &OwnedFd, address: SocketAddr) -> Result<SocketAddr, Failure> {
        self.bind(socket, &SockaddrStorage::from(address), address, &address.to_string())?;
        Ok(local(socket).unwrap_or(address))
    }
}

fn kind_words(Kind { family, kind, protocol }: Kind) -> String {
    format!("{}, {}, protocol {protocol}", family.1, kind.1)
}

/// connect(2). Where a signal came in between, asking again tells how it stands.
pub(crate) fn connect(socket: &OwnedFd, address: &dyn SockaddrLike) -> Result<(), Errno> {
    loop {
        match nix::sys::socket::connect(socket.as_raw_fd(), address) {
            Err(Errno::EINTR) => {}
            Err(Errno::EALREADY) => return Err(Errno::EINPROGRESS),
            Err(Errno::EISCONN) => return Ok(()),
            result => return result,
        }
    }
}

/// The address that a socket has, where it has one of the Internet.
pub(crate) fn local(socket: &impl AsFd) -> Result<SocketAddr, Errno> {
    let address: SockaddrStorage = getsockname(socket.as_fd().as_raw_fd())?;
    internet(&address).ok_or(Errno::EAFNOSUPPORT)
}

/// The same, of a connection to a peer.
pub(crate) fn local_of(socket: &impl AsFd, peer: SocketAddr) -> Result<SocketAddr, Failure> {
    local(socket)
        .map_err(|errno| Failure::new(Exit::Socket, format!("{peer}: getsockname: {} ({errno:?})", errno.desc())))
}

/// An Internet address; `None` if it is of another family.
pub(crate) fn internet(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::from(*v4));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::from(*v6)))
}

fn bind_failure(errno: Errno, place: &str) -> Failure {
    let failure = Failure::new(Exit::Socket, format!("{place}: bind: {} ({errno:?})", errno.desc()));
    match errno {
        Errno::EACCES => Failure { exit: Exit::Privileges, ..failure }
            .hint("a port below 1024 needs CAP_NET_BIND_SERVICE; a path needs a directory that this user may write to"),
        Errno::EADDRINUSE => failure.hint("another socket has it; for a path: is a file of that name left over?"),
        Errno::EADDRNOTAVAIL => failure.hint("this machine has no such address: ip address shows those it has"),
        _ => failure,
    }
}

/// Why a socket did not take the program.
pub(super) fn attach_failure(error: SysError, program: &Program) -> Failure {
    let failure = Failure::new(Exit::Socket, format!("attaching `{}`: {error}", program.name()));
    match error.errno {
        Errno::ENOMEM => failure.hint(
            "the program is larger than one socket may hold: raise net.core.optmem_max (bytes), which counts 8 for each instruction",
        ),
        Errno::EPERM => failure.hint("the socket's filter is locked (SO_LOCK_FILTER); nothing can replace it"),
        _ => failure,
    }
}
