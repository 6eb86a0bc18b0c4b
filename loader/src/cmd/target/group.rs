//! Groups of sockets that minibpf opens: the program tells which of them gets a packet.

use std::cell::Cell;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use minibpf::explain::{Call, Fd, Field};
use minibpf::hook::{fanout, packet, reuseport, tcp, udp};
use minibpf::sys::SysError;
use nix::errno::Errno;
use nix::sys::socket::{Backlog, listen, setsockopt, sockopt as options};
use serde_json::json;

use super::calls::{self, Address};
use super::opening::Opening;
use super::owner::another;
use super::packet::Interface;
use super::{Flow, Member, Opened, Taken};
use crate::cmd::failure::{Exit, Failure};

/// Connections that may wait at each socket.
const BACKLOG: i32 = 16;

impl Opening<'_> {
    /// An `SO_REUSEPORT` group. The program is there before the first socket is bound.
    pub(super) fn reuseport(
        &mut self,
        addresses: &[SocketAddr],
        is_udp: bool,
        count: usize,
    ) -> Result<Opened, Failure> {
        self.first(addresses, |opening, address, _| opening.reuseport_at(address, is_udp, count))
    }

    fn reuseport_at(&mut self, address: SocketAddr, is_udp: bool, count: usize) -> Result<Opened, Failure> {
        let kind = if is_udp { udp::kind(address.is_ipv6()) } else { tcp::kind(address.is_ipv6()) };
        let failed = |what: &str, errno: Errno| Failure::new(Exit::Socket, format!("{address}: {what}: {errno:?}"));
        let mut group = Vec::new();
        for _ in 0..count {
            let socket = self.socket(kind, "one of the group")?;
            let result = setsockopt(&socket, options::ReusePort, &true);
            let why = "several sockets share the port";
            self.tracer.call(|| calls::set_option(Fd::of(&socket), "SO_REUSEPORT", why), result.map(|()| 0))?;
            result.map_err(|errno| failed("SO_REUSEPORT", errno))?;
            group.push(socket);
        }
        let first = group.first().ok_or_else(no_sockets)?;
        self.set_reuseport(first, &Cell::new(false))?;
        let mut local = address;
        for socket in &group {
            // What port 0 becomes for the first, the others take.
            local = self.bind_inet(socket, local)?;
            if !is_udp {
                let backlog = Backlog::new(BACKLOG).map_err(|errno| failed("listen", errno))?;
                let result = listen(socket, backlog);
                self.tracer.call(|| calls::listen(Fd::of(socket), BACKLOG as u64), result.map(|()| 0))?;
                result.map_err(|errno| failed("listen", errno))?;
            }
        }
        let what = if is_udp { "udp" } else { "tcp" };
        let facts = json!({ "local": local.to_string(), "protocol": what, "sockets": count, "when": "before bind" });
        let member = if is_udp { Member::Datagrams } else { Member::Connections };
        let words = format!("the group of {count} {what} sockets at {local}");
        self.group(reuseport::HOOK, member, group, (words, facts), Taken::Reuseport)
    }

    /// `SO_ATTACH_REUSEPORT_EBPF`.
    pub(super) fn set_reuseport(&mut self, socket: &OwnedFd, is_on: &Cell<bool>) -> Result<(), Failure> {
        let result = reuseport::attach_reuseport(socket, self.program);
        is_on.set(result.is_ok());
        let program = self.program_number();
        let call = || option(socket, "SOL_SOCKET", "SO_ATTACH_REUSEPORT_EBPF", program, "for the whole group");
        if result.as_ref().is_err_and(|error| error.errno == Errno::EINVAL) {
            self.tracer.result(call, &result)?;
            return Err(Failure::new(Exit::Socket, "the socket is in no group: its owner has not set SO_REUSEPORT"));
        }
        self.attached(call, &result)
    }

    /// A `PACKET_FANOUT` group.
    pub(super) fn fanout(&mut self, interface: &Interface, number: u16, count: usize) -> Result<Opened, Failure> {
        let mut group = Vec::new();
        for _ in 0..count {
            let socket = self.socket(packet::kind(false), "protocol 0: it receives nothing yet")?;
            self.bind_packet(&socket, interface)?;
            let result = fanout::join_fanout(&socket, number);
            let value = i64::from(number) | (7 << 16);
            let call =
                || option(&socket, "SOL_PACKET", "PACKET_FANOUT", value, "PACKET_FANOUT_EBPF: a program chooses");
            self.tracer.result(call, &result)?;
            result.map_err(|error| fanout_failure(error, number))?;
            group.push(socket);
        }
        let first = group.first().ok_or_else(no_sockets)?;
        let result = fanout::set_fanout_program(first, self.program);
        let program = self.program_number();
        self.attached(|| option(first, "SOL_PACKET", "PACKET_FANOUT_DATA", program, "for the whole group"), &result)?;
        let facts = json!({ "interface": interface.name, "group": number, "sockets": count, "when": "after bind" });
        let words = format!("fanout group {number} of {count} packet sockets on {}", interface.name);
        self.group(fanout::HOOK, Member::Datagrams, group, (words, facts), Taken::ByClosing)
    }

    fn group(
        &self,
        hook: minibpf::hook::Hook,
        member: Member,
        members: Vec<OwnedFd>,
        (words, facts): (String, serde_json::Value),
        taken: Taken,
    ) -> Result<Opened, Failure> {
        let socket = another(members.first().ok_or_else(no_sockets)?)?;
        let opened = Opened::new(hook, Flow::Group(member), socket, words, facts);
        Ok(Opened { members, taken, ..opened })
    }

    fn program_number(&self) -> i64 {
        use std::os::fd::AsFd;
        self.program.as_fd().as_raw_fd().into()
    }

    /// bind(2) of a packet socket.
    pub(super) fn bind_packet(&self, socket: &OwnedFd, interface: &Interface) -> Result<(), Failure> {
        let Interface { name, index } = interface;
        let result = packet::bind(socket, *index);
        let call = || calls::bind(Fd::of(socket), Address::interface(name), "from here on it receives");
        self.tracer.result(call, &result)?;
        result.map_err(|error| {
            let failure = Failure::new(Exit::Socket, format!("{name}: {error}"));
            match error.errno {
                Errno::ENETDOWN => failure.hint(format!("the interface is down: ip link set {name} up")),
                _ => failure,
            }
        })
    }
}

fn no_sockets() -> Failure {
    Failure::new(Exit::Usage, "--sockets: a group has at least one")
}

fn fanout_failure(error: SysError, number: u16) -> Failure {
    let failure = Failure::new(Exit::Socket, format!("fanout group {number}: {error}"));
    match error.errno {
        Errno::EINVAL => failure.hint("another process has a group of this number, which chooses otherwise or is for another interface: take another number"),
        _ => failure,
    }
}

fn option(socket: &OwnedFd, level: &str, name: &str, value: i64, why: &str) -> Call {
    let fields = vec![
        ("fd", Field::Fd(Fd::of(socket))),
        ("level", Field::Constant(level.to_owned())),
        ("optname", Field::Constant(name.to_owned())),
        ("optval", Field::Constant(format!("[{value}]"))),
        ("optlen", Field::Number(4)),
    ];
    calls::plain("setsockopt", fields, why)
}

/// `SO_DETACH_REUSEPORT_BPF`, with its call shown.
pub(super) fn detach_reuseport(
    socket: &OwnedFd,
    tracer: &crate::cmd::trace::Tracer<'_>,
) -> Result<Result<(), SysError>, Failure> {
    let result = reuseport::detach_reuseport(socket);
    let why = "the group goes on with the hash";
    tracer.result(|| option(socket, "SOL_SOCKET", "SO_DETACH_REUSEPORT_BPF", 0, why), &result)?;
    Ok(result)
}
