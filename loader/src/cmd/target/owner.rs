//! Whose a foreign socket is, and how a descriptor for it is had: by `pidfd_getfd(2)`, or as it was inherited.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use minibpf::explain::{Call, Fd, Field};
use minibpf::observe::sockets::{self, Listed, Tables};
use minibpf::sys::{SysError, pidfd};
use nix::errno::Errno;

use super::attach_to::AttachTo;
use super::calls;
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::trace::Tracer;

/// `SD_LISTEN_FDS_START`: the first descriptor of socket activation.
const LISTEN_FDS_START: i32 = 3;

/// What a descriptor of a tun device is.
const TUN: &str = "/dev/net/tun";

/// Who has the socket.
pub(crate) enum Owner {
    /// Another process. Its socket is not held open: it may close it when it likes.
    Process { pidfd: OwnedFd, pid: i32, fd: i32, inode: Option<u64> },
    /// Whoever started minibpf.
    Inherited(OwnedFd),
}

impl Owner {
    /// Finds the socket that is meant, and a descriptor for it.
    pub(super) fn find(at: &AttachTo, tracer: &Tracer<'_>) -> Result<(Self, OwnedFd), Failure> {
        let (pid, fd) = match at {
            AttachTo::Descriptor { pid, fd } => (*pid, *fd),
            AttachTo::Address { pid, kind, address } => (*pid, find_address(*pid, kind, &address.to_string())?),
            AttachTo::Inherited(fd) => return Self::inherited(*fd, tracer),
            AttachTo::Activated(nth) => return Self::inherited(activated(*nth)?, tracer),
            _ => return Err(Failure::new(Exit::Usage, format!("{at}: a socket of minibpf's own"))),
        };
        let (pidfd, socket) = duplicate(pid, fd, tracer)?;
        let inode = inode_of(&socket, &format!("descriptor {fd} of process {pid}"))?;
        Ok((Self::Process { pidfd, pid, fd, inode: Some(inode) }, socket))
    }

    /// A tun device that a process holds.
    pub(super) fn tun(pid: i32, fd: i32, tracer: &Tracer<'_>) -> Result<(Self, OwnedFd), Failure> {
        let (pidfd, queue) = duplicate(pid, fd, tracer)?;
        let link = fs::read_link(format!("/proc/self/fd/{}", queue.as_raw_fd())).unwrap_or_default();
        if link.as_os_str() != TUN {
            let why = format!("descriptor {fd} of process {pid} is not one of /dev/net/tun: it is {}", link.display());
            return Err(Failure::new(Exit::Socket, why));
        }
        Ok((Self::Process { pidfd, pid, fd, inode: None }, queue))
    }

    fn inherited(fd: i32, tracer: &Tracer<'_>) -> Result<(Self, OwnedFd), Failure> {
        let missing = |error: SysError| {
            Failure::new(Exit::Socket, format!("descriptor {fd}: {error}"))
                .hint("a descriptor is inherited from whoever starts minibpf")
        };
        let socket = pidfd::inherited(fd).map_err(missing)?;
        let fields = vec![
            ("fd", Field::Number(fd as u64)),
            ("cmd", Field::Constant("F_DUPFD_CLOEXEC".to_owned())),
            ("arg", Field::Number(3)),
        ];
        tracer.call(|| calls::plain("fcntl", fields, "a descriptor of our own"), Ok(socket.as_raw_fd()))?;
        inode_of(&socket, &format!("descriptor {fd}"))?;
        Ok((Self::Inherited(another(&socket)?), socket))
    }

    /// A descriptor for the socket again, as long as its owner has it, with the call shown.
    pub(super) fn socket_again(&self, tracer: &Tracer<'_>) -> Result<Option<OwnedFd>, Failure> {
        let socket = self.look().map_err(|error| Failure::new(Exit::Socket, format!("{}: {error}", self.words())))?;
        if let (Self::Process { pidfd, fd, .. }, Some(socket)) = (self, &socket) {
            tracer.call(|| getfd_call(pidfd, *fd), Ok(socket.as_raw_fd()))?;
        }
        Ok(socket)
    }

    /// A descriptor for it again, if there is one to be had.
    pub(crate) fn socket(&self) -> Option<OwnedFd> {
        self.look().ok().flatten()
    }

    /// Whether its owner has closed it, or is gone. That it cannot be had for a moment is not that.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.look(), Ok(None))
    }

    /// A descriptor for it again; `None` if its owner has closed it, or is gone.
    fn look(&self) -> Result<Option<OwnedFd>, SysError> {
        let (pidfd, pid, fd, inode) = match self {
            Self::Process { pidfd, pid, fd, inode } => (pidfd, *pid, *fd, *inode),
            Self::Inherited(socket) => {
                return socket
                    .try_clone()
                    .map(Some)
                    .map_err(|error| SysError::from_io("fcntl(F_DUPFD_CLOEXEC)", &error));
            }
        };
        let get = |fd| match pidfd::pidfd_getfd(pidfd, fd) {
            Err(error) if matches!(error.errno, Errno::EBADF | Errno::ESRCH) => Ok(None),
            result => result.map(Some),
        };
        let Some(inode) = inode else {
            let queue = get(fd)?.filter(|queue| {
                let link = fs::read_link(format!("/proc/self/fd/{}", queue.as_raw_fd()));
                link.is_ok_and(|link| link.as_os_str() == TUN)
            });
            return Ok(queue);
        };
        let is_it = |socket: &OwnedFd| sockets::own_inode(socket) == Ok(Some(inode));
        if let Some(socket) = get(fd)?.filter(is_it) {
            return Ok(Some(socket));
        }
        // Whoever may have the descriptor may not list all of them: that takes the directory's rights besides.
        let numbers = sockets::descriptors(pid).unwrap_or_default();
        let moved = numbers.iter().find(|(_, one)| *one == inode);
        moved.map_or(Ok(None), |(fd, _)| Ok(get(*fd)?.filter(is_it)))
    }

    /// A descriptor that becomes readable when the owner ends; of an inherited socket there is only itself.
    pub(super) fn process(&self) -> Result<OwnedFd, Failure> {
        match self {
            Self::Process { pidfd: fd, .. } | Self::Inherited(fd) => another(fd),
        }
    }

    /// `descriptor 3 of process 12 (python3)`
    pub(super) fn words(&self) -> String {
        match self {
            Self::Process { pid, fd, .. } => format!("descriptor {fd} of process {pid} ({})", command(*pid)),
            Self::Inherited(_) => "an inherited descriptor".to_owned(),
        }
    }
}

/// A descriptor for a process, and a duplicate of one of its own.
fn duplicate(pid: i32, fd: i32, tracer: &Tracer<'_>) -> Result<(OwnedFd, OwnedFd), Failure> {
    let result = pidfd::pidfd_open(pid);
    let number = result.as_ref().map(AsRawFd::as_raw_fd).map_err(|error| error.errno);
    let fields = vec![("pid", Field::Number(pid as u64)), ("flags", Field::Number(0))];
    tracer.call(|| calls::plain("pidfd_open", fields, "a descriptor for the process"), number)?;
    let pidfd = result.map_err(|error| match error.errno {
        Errno::ESRCH | Errno::EINVAL => no_process(pid),
        _ => Failure::new(Exit::Socket, format!("process {pid}: {error}")),
    })?;
    let duplicate = get_fd(tracer, &pidfd, fd).map_err(|error| not_given(pid, fd, error))?;
    Ok((pidfd, duplicate))
}

/// The name of a process's program.
pub(crate) fn command(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map_or_else(|_| "?".to_owned(), |name| name.trim_end().to_owned())
}

fn get_fd(tracer: &Tracer<'_>, pidfd: &OwnedFd, fd: i32) -> Result<OwnedFd, SysError> {
    let result = pidfd::pidfd_getfd(pidfd, fd);
    let number = result.as_ref().map(AsRawFd::as_raw_fd).map_err(|error| error.errno);
    // A trace that cannot be written ends the program when the next line is due.
    let _ = tracer.call(|| getfd_call(pidfd, fd), number);
    result
}

fn getfd_call(pidfd: &OwnedFd, fd: i32) -> Call {
    let fields =
        vec![("pidfd", Field::Fd(Fd::of(pidfd))), ("targetfd", Field::Number(fd as u64)), ("flags", Field::Number(0))];
    calls::plain("pidfd_getfd", fields, "the same open socket, as a descriptor of our own")
}

pub(crate) fn no_process(pid: i32) -> Failure {
    Failure::new(Exit::Socket, format!("there is no process {pid}"))
}

/// EPERM of `pidfd_getfd(2)`, or of /proc.
pub(crate) fn not_allowed(pid: i32) -> Failure {
    let why = format!("process {pid} ({}) is not open to this user", command(pid));
    Failure::new(Exit::Privileges, why).hint(
        "its sockets are open to who may trace it: root (CAP_SYS_PTRACE), or the same user where kernel.yama.ptrace_scope is 0",
    )
}

fn not_given(pid: i32, fd: i32, error: SysError) -> Failure {
    match error.errno {
        Errno::EPERM => not_allowed(pid),
        Errno::ESRCH => no_process(pid),
        Errno::EBADF => Failure::new(Exit::Socket, format!("process {pid} ({}) has no descriptor {fd}", command(pid)))
            .hint(format!("minibpf sockets {pid} lists its sockets")),
        _ => Failure::new(Exit::Socket, format!("descriptor {fd} of process {pid}: {error}")),
    }
}

/// The number of the socket that a descriptor of our own must be.
fn inode_of(fd: &OwnedFd, what: &str) -> Result<u64, Failure> {
    let failed = |errno: Errno| format!("{what}: fstat: {} ({errno:?})", errno.desc());
    let inode = sockets::own_inode(fd).map_err(|errno| Failure::new(Exit::Socket, failed(errno)))?;
    inode.ok_or_else(|| {
        let link = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        let is = link.map_or_else(|_| String::new(), |link| format!(": it is {}", link.display()));
        Failure::new(Exit::Socket, format!("{what} is not a socket{is}"))
    })
}

/// The same, once more.
pub(crate) fn another(fd: impl AsFd) -> Result<OwnedFd, Failure> {
    let again = fd.as_fd().try_clone_to_owned();
    again.map_err(|error| Failure::new(Exit::Other, format!("a descriptor once more: fcntl(F_DUPFD_CLOEXEC): {error}")))
}

/// The descriptor of a process's socket at an address. The address is the socket's own; where it has several there, such as a
/// listener and what it has accepted, the listener is meant, and a connection is named by its peer's address.
fn find_address(pid: i32, kind: &str, address: &str) -> Result<i32, Failure> {
    let descriptors = sockets::descriptors(pid).map_err(|error| proc_failure(pid, &error))?;
    let tables = Tables::of(pid);
    let all: Vec<(i32, &Listed)> =
        descriptors.iter().filter_map(|(fd, inode)| Some((*fd, tables.get(*inode)?))).collect();
    let all: Vec<_> = all.into_iter().filter(|(_, listed)| listed.kind == kind).collect();
    let is = |at: Option<std::net::SocketAddr>| at.is_some_and(|at| at.to_string() == address);
    let listening: Vec<_> = all.iter().filter(|(_, listed)| listed.is_listening && is(listed.address)).collect();
    let either: Vec<_> = all.iter().filter(|(_, listed)| is(listed.address) || is(listed.peer)).collect();
    match (listening.as_slice(), either.as_slice()) {
        ([(fd, _)], _) | (_, [(fd, _)]) => Ok(*fd),
        (_, []) => {
            let failure = Failure::new(
                Exit::Socket,
                format!("process {pid} ({}) has no {kind} socket at {address}", command(pid)),
            );
            Err(if all.is_empty() { failure } else { failure.hint(format!("it has: {}", list(&all))) })
        }
        (_, several) => {
            let several: Vec<_> = several.iter().map(|(fd, listed)| (*fd, *listed)).collect();
            let why = format!("process {pid} has {} {kind} sockets at {address}", several.len());
            Err(Failure::new(Exit::Socket, why)
                .hint(format!("name the peer's address, or the descriptor as pid:{pid}:FD: {}", list(&several))))
        }
    }
}

fn list(all: &[(i32, &Listed)]) -> String {
    let one = |(fd, listed): &(i32, &Listed)| {
        let peer = listed.peer.map_or_else(String::new, |peer| format!(" -> {peer}"));
        format!("{}{peer} (descriptor {fd})", listed.place)
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Why a process's descriptors cannot be listed.
pub(crate) fn proc_failure(pid: i32, error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => not_allowed(pid),
        std::io::ErrorKind::NotFound => no_process(pid),
        _ => Failure::new(Exit::Socket, format!("process {pid}: {error}")),
    }
}

/// The descriptor of the Nth socket of socket activation: `LISTEN_FDS` says how many there are, `LISTEN_PID` for whom.
fn activated(nth: i32) -> Result<i32, Failure> {
    let variable = |name| std::env::var(name).ok().and_then(|value| value.parse::<i64>().ok());
    let failed = |why: String| Failure::new(Exit::Socket, format!("listen-fd:{nth}: {why}"));
    let count = variable("LISTEN_FDS").ok_or_else(|| {
        failed("LISTEN_FDS is not set".to_owned()).hint("systemd, or systemd-socket-activate, sets it")
    })?;
    if variable("LISTEN_PID").is_some_and(|pid| pid != i64::from(std::process::id())) {
        return Err(failed("LISTEN_PID names another process: the sockets are not for this one".to_owned()));
    }
    if i64::from(nth) >= count {
        return Err(failed(format!("LISTEN_FDS says {count} sockets were passed, and the first is listen-fd:0")));
    }
    Ok(LISTEN_FDS_START.saturating_add(nth))
}
