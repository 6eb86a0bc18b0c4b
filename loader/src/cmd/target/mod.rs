//! Which socket gets the filter: the TARGET of `load` and `attach`. (`minibpf::target` is the kernel that a plan is made for.)
//!
//! What can be known before anything is loaded, such as addresses of a name, is found out first ([`Target::find`]); the
//! socket is opened when there is a program for it ([`Place::open`]).

pub(crate) mod attach_to;
pub(crate) mod calls;
pub(crate) mod classic;
mod datagrams;
mod dry_run;
pub(crate) mod elsewhere;
pub(crate) mod foreign;
mod group;
mod opened;
pub(crate) mod opening;
pub(crate) mod owner;
pub(crate) mod packet;
pub(crate) mod parse;
mod tcp;
pub(crate) mod tun;

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use minibpf::hook;

use super::failure::{Exit, Failure};
use super::output::Output;
use super::signals::Signals;
use super::trace::Tracer;
use attach_to::{AttachTo, Device};
use elsewhere::Elsewhere;
use foreign::Foreign;
use opened::Taken;
pub(crate) use opened::{Flow, Member, Opened};
use opening::Opening;
use owner::Owner;
use packet::Interface;
use parse::{ConnectTo, ListenAt, RawAt, UnixPath};

/// Exactly one of these.
#[derive(Args)]
#[group(id = "target", required = true, multiple = false)]
pub(crate) struct Target {
    /// A client: HOST:PORT or [V6]:PORT for TCP, udp:HOST:PORT, unix:PATH, unixgram:PATH. The filter is attached before
    /// connect(2), so no packet passes unfiltered. Byte 0 of a packet is the TCP header, the UDP header, or the payload
    #[arg(long, value_name = "TARGET", help_heading = "Target: exactly one")]
    connect: Option<ConnectTo>,
    /// A server: HOST:PORT for TCP, udp:HOST:PORT, unixgram:PATH, raw:PROTO[@HOST]. Accepted connections inherit the filter.
    /// Port 0 lets the kernel choose one
    #[arg(long, value_name = "TARGET", help_heading = "Target: exactly one")]
    listen: Option<ListenAt>,
    /// Everything that passes an interface, in both directions: a copy of it. Byte 0 is the Ethernet header
    #[arg(long, value_name = "IFACE", help_heading = "Target: exactly one")]
    packet: Option<String>,
    /// A socket that is open already: pid:PID:FD, or by its address pid:PID:tcp:ADDR and pid:PID:udp:ADDR (see `minibpf
    /// sockets`); fd:N, an inherited descriptor; listen-fd:N, the Nth of socket activation, from 0. Byte 0 is what it is on a
    /// socket of that kind. The filter stays when minibpf is killed: the command that takes it off is printed first.
    ///
    /// Or a group, whose program chooses the socket: reuseport:HOST:PORT, reuseport:udp:HOST:PORT, fanout:IFACE:GROUP; reuseport:pid:PID:FD is that of a process's socket. Or a tap
    /// device: tun-filter:IFACE, tun-steer:IFACE, and tun-filter:pid:PID:FD by its owner's descriptor. `minibpf explain --hooks`
    /// says what byte 0 and the return value are there
    #[arg(long, value_name = "HOOK", help_heading = "Target: exactly one")]
    attach: Option<AttachTo>,
}

/// How the filter gets there.
#[derive(Args)]
pub(crate) struct TargetOptions {
    /// With --connect HOST:PORT: attach to the open connection instead of before connect(2)
    #[arg(long)]
    after_connect: bool,
    /// With --packet: without the link's header; byte 0 is the network header
    #[arg(long)]
    cooked: bool,
    /// With --attach: take the place of a filter that is there. A classic one is saved, and put back on detach; an eBPF one is
    /// lost
    #[arg(long)]
    replace: bool,
    /// How many sockets a group has, or queues a device: 2 by default, for tun-filter 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    sockets: Option<u8>,
    /// Lock the filter to the socket (SO_LOCK_FILTER): nothing takes it off again until the socket is closed
    #[arg(long)]
    pub(crate) lock: bool,
}

/// A target that was found.
pub(crate) enum Place {
    TcpClient { addresses: Vec<SocketAddr>, after_connect: bool },
    TcpListener(Vec<SocketAddr>),
    Udp { addresses: Vec<SocketAddr>, connects: bool },
    UnixClient { path: UnixPath, is_stream: bool },
    UnixServer(UnixPath),
    Raw { protocol: u8, is_v6: bool, address: Option<SocketAddr> },
    Packet { interface: Interface, is_cooked: bool },
    Foreign(Box<Foreign>),
    Reuseport { addresses: Vec<SocketAddr>, is_udp: bool, count: usize },
    Fanout { interface: Interface, group: u16, count: usize },
    Tun { steers: bool, name: String, count: usize },
    Elsewhere { what: Elsewhere, owner: Owner, at: AttachTo },
}

impl Place {
    /// What byte 0 of a packet is, where that is certain not to be an Ethernet header.
    pub(crate) fn byte0(&self) -> Option<&'static str> {
        match self {
            Self::TcpClient { .. } | Self::TcpListener(_) => Some(hook::tcp::CLIENT.byte0),
            Self::Udp { .. } => Some(hook::udp::HOOK.byte0),
            Self::UnixClient { .. } | Self::UnixServer(_) => Some(hook::unix::DATAGRAM.byte0),
            Self::Reuseport { .. } => Some(hook::reuseport::HOOK.byte0),
            Self::Raw { .. }
            | Self::Packet { .. }
            | Self::Foreign(_)
            | Self::Fanout { .. }
            | Self::Tun { .. }
            | Self::Elsewhere { .. } => None,
        }
    }
}

impl Target {
    /// How bytes will come and go.
    pub(crate) fn flow(&self) -> Flow {
        match (&self.connect, &self.listen) {
            (Some(ConnectTo::Tcp(_)), _) => Flow::Stream { is_tcp: true },
            (Some(ConnectTo::Unix(_)), _) => Flow::Stream { is_tcp: false },
            (Some(_), _) => Flow::Connected,
            (_, Some(ListenAt::Tcp(_))) => Flow::Listener,
            (_, Some(_)) => Flow::Bound,
            _ => self.attach.as_ref().map_or(Flow::Packets, |at| match at {
                AttachTo::Reuseport { is_udp: true, .. } | AttachTo::Fanout { .. } => Flow::Group(Member::Datagrams),
                AttachTo::Reuseport { is_udp: false, .. } => Flow::Group(Member::Connections),
                AttachTo::Tun { device: Device::Named(_), .. } => Flow::Group(Member::Frames),
                AttachTo::Tun { .. } | AttachTo::ReuseportOf { .. } => Flow::Elsewhere,
                _ => Flow::Foreign,
            }),
        }
    }

    /// Refuses options that this target does not have.
    pub(crate) fn check(&self, options: &TargetOptions) -> Result<(), Failure> {
        let usage = |why: &str| Err(Failure::new(Exit::Usage, why));
        if options.after_connect && !matches!(self.connect, Some(ConnectTo::Tcp(_))) {
            return usage("--after-connect is for --connect HOST:PORT (TCP)");
        }
        if options.cooked && self.packet.is_none() {
            return usage("--cooked is for --packet IFACE");
        }
        let is_group = matches!(self.flow(), Flow::Group(_));
        if options.sockets.is_some() && !is_group {
            return usage("--sockets is for --attach reuseport:, fanout:, tun-filter:IFACE and tun-steer:IFACE");
        }
        if options.lock && (is_group || self.flow() == Flow::Elsewhere) {
            return usage("--lock is for the filter of a socket (SO_ATTACH_BPF)");
        }
        if options.replace && self.flow() != Flow::Foreign {
            return usage("--replace is for --attach pid:, fd: and listen-fd: — a new socket has no filter");
        }
        Ok(())
    }

    /// Finds what the target names, before anything is loaded.
    pub(crate) fn find(
        &self,
        options: &TargetOptions,
        timeout: Duration,
        signals: &Signals,
        output: &Output,
        tracer: &Tracer<'_>,
    ) -> Result<Place, Failure> {
        if options.lock {
            output.warn("lock", "SO_LOCK_FILTER cannot be undone: the filter stays until the socket is closed")?;
        }
        if let Some(at) = &self.attach {
            return Self::find_attached(at, options, timeout, signals, (output, tracer));
        }
        let resolve = |name: &super::host_port::HostPort| name.resolve(timeout, signals);
        match (&self.connect, &self.listen, &self.packet) {
            (Some(ConnectTo::Tcp(name)), ..) => {
                Ok(Place::TcpClient { addresses: resolve(name)?, after_connect: options.after_connect })
            }
            (Some(ConnectTo::Udp(name)), ..) => Ok(Place::Udp { addresses: resolve(name)?, connects: true }),
            (Some(ConnectTo::Unix(path)), ..) => Ok(Place::UnixClient { path: path.clone(), is_stream: true }),
            (Some(ConnectTo::Unixgram(path)), ..) => Ok(Place::UnixClient { path: path.clone(), is_stream: false }),
            (_, Some(ListenAt::Tcp(name)), _) => Ok(Place::TcpListener(resolve(name)?)),
            (_, Some(ListenAt::Udp(name)), _) => Ok(Place::Udp { addresses: resolve(name)?, connects: false }),
            (_, Some(ListenAt::Unixgram(path)), _) => Ok(Place::UnixServer(path.clone())),
            (_, Some(ListenAt::Raw(at)), _) => {
                let RawAt { protocol, host } = at;
                let address = host.as_ref().map(resolve).transpose()?.and_then(|all| all.first().copied());
                let is_v6 = address.map_or(at.is_v6_by_itself(), |address| address.is_ipv6());
                Ok(Place::Raw { protocol: *protocol, is_v6, address })
            }
            (.., Some(name)) => Ok(Place::Packet { interface: Interface::named(name)?, is_cooked: options.cooked }),
            _ => Err(Failure::new(Exit::Usage, "no target: --connect, --listen or --packet")),
        }
    }
}

impl Target {
    fn find_attached(
        at: &AttachTo,
        options: &TargetOptions,
        timeout: Duration,
        signals: &Signals,
        (output, tracer): (&Output, &Tracer<'_>),
    ) -> Result<Place, Failure> {
        let count = options.sockets.map_or(2, usize::from);
        Ok(match at {
            AttachTo::Reuseport { is_udp, at } => {
                Place::Reuseport { addresses: at.resolve(timeout, signals)?, is_udp: *is_udp, count }
            }
            AttachTo::Fanout { interface, group } => {
                Place::Fanout { interface: Interface::named(interface)?, group: *group, count }
            }
            AttachTo::Tun { steers, device: Device::Named(name) } => {
                // A filter needs one queue; what steers has something to choose from.
                let count = options.sockets.map_or(if *steers { 2 } else { 1 }, usize::from);
                Place::Tun { steers: *steers, name: name.clone(), count }
            }
            AttachTo::Tun { device: Device::Descriptor { .. }, .. } | AttachTo::ReuseportOf { .. } => {
                let (what, owner) = elsewhere::find(at, tracer)?;
                Place::Elsewhere { what, owner, at: at.clone() }
            }
            _ => Place::Foreign(Box::new(Foreign::to_attach(at, options.replace, output, tracer)?)),
        })
    }
}

impl Place {
    /// Opens the socket, with the filter on it from the start.
    pub(crate) fn open(self, opening: &mut Opening<'_>) -> Result<Opened, Failure> {
        match self {
            Self::TcpClient { addresses, after_connect } => opening.tcp_client(&addresses, after_connect),
            Self::TcpListener(addresses) => opening.tcp_listener(&addresses),
            Self::Udp { addresses, connects } => opening.udp(&addresses, connects),
            Self::UnixClient { path, is_stream } => opening.unix_client(&path, is_stream),
            Self::UnixServer(path) => opening.unix_server(&path),
            Self::Raw { protocol, is_v6, address } => opening.raw(protocol, is_v6, address),
            Self::Packet { interface, is_cooked } => opening.packet(&interface, is_cooked),
            Self::Foreign(found) => opening.foreign(*found),
            Self::Reuseport { addresses, is_udp, count } => opening.reuseport(&addresses, is_udp, count),
            Self::Fanout { interface, group, count } => opening.fanout(&interface, group, count),
            Self::Tun { steers, name, count } => opening.tun_named(steers, &name, count),
            Self::Elsewhere { what, owner, at } => opening.elsewhere(what, owner, &at),
        }
    }
}
