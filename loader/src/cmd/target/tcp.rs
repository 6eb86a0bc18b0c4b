//! The TCP client: name, socket, filter, connect, in this order.
//!
//! The filter is attached between socket(2) and connect(2), so that even the peer's SYN-ACK goes through it. Each address
//! of a name gets a socket of its own, and each socket its filter.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use minibpf::explain::{self, Call, Fd, Field};
use minibpf::kernel::Program;
use minibpf::sys::{SysError, counters};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, connect, socket};

use super::failure::{Exit, Failure};
use super::host_port::HostPort;
use super::output::Output;
use super::signals::Signals;
use super::stats::Stats;
use super::trace::{Tracer, merged};

/// An open connection with the filter on it.
pub(crate) struct Connected {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// What opening a connection needs to know.
pub(crate) struct Opening<'a> {
    pub(crate) output: &'a Output,
    pub(crate) tracer: &'a Tracer<'a>,
    pub(crate) program: &'a Program,
    pub(crate) after_connect: bool,
    pub(crate) deadline: Instant,
    pub(crate) signals: &'a Signals,
}

impl Opening<'_> {
    /// Tries each address until one answers. Statistics are switched on when the first filter is in place, before packets come.
    pub(crate) fn open(
        &self,
        addresses: &[SocketAddr],
        name: &HostPort,
        stats: &mut Stats,
    ) -> Result<Connected, Failure> {
        let mut failure = Failure::new(Exit::Socket, format!("{name}: no address"));
        for (number, address) in addresses.iter().enumerate() {
            // Each address gets its share of the time that is left: one that is silent must not starve the next.
            let left = self.deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(addresses.len() - number).unwrap_or(u32::MAX);
            match self.try_address(*address, Instant::now() + share, stats) {
                Ok(connected) => return Ok(connected),
                Err(error) if error.is_silent() => return Err(error),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn try_address(&self, address: SocketAddr, deadline: Instant, stats: &mut Stats) -> Result<Connected, Failure> {
        let failed =
            |what: &str, errno: Errno| Failure::new(Exit::Socket, format!("{address}: {what}: {}", errno.desc()));
        let socket = self.socket(address).map_err(|errno| failed("socket", errno))?;
        if !self.after_connect {
            attach(self.tracer, &socket, self.program, "before connect(2): the peer's first answer is filtered too")?;
            stats.enable(self.output, self.tracer)?;
        }
        self.connect(&socket, address, deadline)?;
        if self.after_connect {
            attach(self.tracer, &socket, self.program, "what came before was not filtered")?;
            stats.enable(self.output, self.tracer)?;
        }
        let stream = TcpStream::from(socket);
        let local = stream.local_addr()?;
        Ok(Connected { stream, peer: address, local })
    }

    fn socket(&self, address: SocketAddr) -> Result<OwnedFd, Errno> {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(family, SockType::Stream, flags, SockProtocol::Tcp);
        let number = socket.as_ref().map(AsRawFd::as_raw_fd).map_err(|errno| *errno);
        // A trace that cannot be written ends the program later, when the next line is due.
        let _ = self.tracer.call(|| socket_call(address), number);
        socket
    }

    /// connect(2), watched: a filter that drops the peer's SYN-ACK makes it hang.
    fn connect(&self, socket: &OwnedFd, address: SocketAddr, deadline: Instant) -> Result<(), Failure> {
        let result = connect(socket.as_raw_fd(), &SockaddrStorage::from(address));
        self.tracer.call(|| connect_call(socket, address), result.map(|()| 0))?;
        let refused =
            |errno: Errno| Failure::new(Exit::Socket, format!("{address}: connect: {} ({errno:?})", errno.desc()));
        match result {
            Ok(()) => return Ok(()),
            Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(refused(errno)),
        }
        let mut warned = false;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            let wait = left.min(Duration::from_millis(250)).as_millis() as u16 + 1;
            let mut fds =
                [PollFd::new(socket.as_fd(), PollFlags::POLLOUT), PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::from(wait)) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(refused(errno)),
            }
            if self.signals.came() {
                // Nothing is connected and nothing counted: closing the socket is all there is to do.
                self.output.say("interrupted before the connection stood");
                return Err(Failure::interrupted());
            }
            if fds.first().and_then(PollFd::any) == Some(true) {
                let error = nix::sys::socket::getsockopt(socket, nix::sys::socket::sockopt::SocketError);
                return match error {
                    Ok(0) => Ok(()),
                    Ok(number) => Err(refused(Errno::from_raw(number))),
                    Err(errno) => Err(refused(errno)),
                };
            }
            let drops = counters::drops(socket).unwrap_or(0);
            if drops > 0 && !warned {
                warned = true;
                let what = format!(
                    "the filter dropped {drops} of the peer's answers to connect (SYN-ACK): it returned 0. Byte 0 of a packet is the TCP header here, not Ethernet or IP"
                );
                self.output.warn("stall", what)?;
            }
        }
        Err(Failure::new(Exit::TimedOut, format!("{address}: connect: no answer in time")).hint(if warned {
            format!("program `{}` must return skb->len for what is to pass", self.program.name())
        } else {
            "--timeout T waits longer".to_owned()
        }))
    }
}

/// Attaches a program to a socket and shows the call.
pub(crate) fn attach(tracer: &Tracer<'_>, socket: &OwnedFd, program: &Program, why: &str) -> Result<(), Failure> {
    let result = program.attach(socket);
    let call = || explain::attach(Fd::of(socket), &Fd::of(program), why);
    tracer.result(call, &result)?;
    result.map_err(|error| attach_failure(error, program))
}

/// The calls that would follow the plan.
pub(crate) fn dry_run(output: &Output, name: &HostPort, after_connect: bool) -> Result<(), Failure> {
    let attach = explain::attach(
        Fd::Role("socket".to_owned()),
        &Fd::Role("program".to_owned()),
        "every packet that the socket receives goes through it",
    );
    let connect = plain(
        "connect",
        vec![("fd", Field::Fd(Fd::Role("socket".to_owned()))), ("addr", Field::Constant(name.to_string()))],
        "the handshake",
    );
    let calls = if after_connect { [connect, attach] } else { [attach, connect] };
    for call in calls {
        output.text(format_args!("{}  /* {} */", call.text(output.detail()), call.why))?;
        output.data(&merged(serde_json::json!({ "kind": "step" }), call.json()))?;
    }
    Ok(())
}

fn plain(syscall: &'static str, fields: Vec<(&'static str, Field)>, why: &str) -> Call {
    Call { syscall, command: None, fields, size: None, why: why.to_owned() }
}

fn socket_call(address: SocketAddr) -> Call {
    let family = if address.is_ipv4() { "AF_INET" } else { "AF_INET6" };
    let fields = vec![
        ("domain", Field::Constant(family.to_owned())),
        ("type", Field::Constant("SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK".to_owned())),
        ("protocol", Field::Constant("IPPROTO_TCP".to_owned())),
    ];
    plain("socket", fields, "not connected yet")
}

fn connect_call(socket: &OwnedFd, address: SocketAddr) -> Call {
    let (text, len) = match address {
        SocketAddr::V4(v4) => {
            (format!("{{sa_family=AF_INET, sin_port=htons({}), sin_addr=inet_addr(\"{}\")}}", v4.port(), v4.ip()), 16)
        }
        SocketAddr::V6(v6) => (
            format!("{{sa_family=AF_INET6, sin6_port=htons({}), inet_pton(AF_INET6, \"{}\")}}", v6.port(), v6.ip()),
            28,
        ),
    };
    let fields =
        vec![("fd", Field::Fd(Fd::of(socket))), ("addr", Field::Constant(text)), ("addrlen", Field::Number(len))];
    plain("connect", fields, "the handshake")
}

/// Why a socket did not take the program.
fn attach_failure(error: SysError, program: &Program) -> Failure {
    let failure = Failure::new(Exit::Socket, format!("attaching `{}`: {error}", program.name()));
    match error.errno {
        Errno::ENOMEM => failure.hint(
            "the program is larger than one socket may hold: raise net.core.optmem_max (bytes), which counts 8 for each instruction",
        ),
        Errno::EPERM => failure.hint("the socket's filter is locked (SO_LOCK_FILTER); nothing can replace it"),
        _ => failure,
    }
}
