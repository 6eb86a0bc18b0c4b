//! Which socket gets the filter: the TARGET of `load` and `attach`.
//!
//! What can be known before anything is loaded, such as addresses of a name, is found out first ([`Target::find`]); the
//! socket is opened when there is a program for it ([`Place::open`]).

pub(crate) mod calls;
mod datagrams;
mod dry_run;
pub(crate) mod opening;
mod packet;
mod parse;
mod tcp;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use clap::Args;
use minibpf::hook::Hook;
use serde_json::{Value as Json, json};

use super::failure::{Exit, Failure};
use super::output::Output;
use super::signals::Signals;
use super::trace::merged;
use datagrams::SocketFile;
use opening::Opening;
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
}

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
}

impl Flow {
    /// Whether standard input is sent, and what is received goes to standard output.
    pub(crate) fn carries_streams(self) -> bool {
        self != Self::Packets
    }

    /// Whether packets can be counted by reading them.
    pub(crate) fn is_datagrams(self) -> bool {
        matches!(self, Self::Connected | Self::Bound | Self::Packets)
    }
}

/// A socket with the filter on it.
pub(crate) struct Opened {
    pub(crate) hook: Hook,
    pub(crate) flow: Flow,
    pub(crate) socket: OwnedFd,
    /// `tcp 127.0.0.1:40000 -> 127.0.0.1:80`
    pub(crate) words: String,
    /// The same for the `attached` line.
    pub(crate) facts: Json,
    #[allow(dead_code, reason = "held, so that the file goes when the socket goes")]
    file: Option<SocketFile>,
}

impl Opened {
    fn new(hook: Hook, flow: Flow, socket: OwnedFd, words: String, facts: Json) -> Self {
        Self { hook, flow, socket, words, facts, file: None }
    }

    /// Says where the filter is, and what it finds there.
    pub(crate) fn announce(&self, output: &Output, program: &str) -> Result<(), Failure> {
        let Self { hook, words, facts, .. } = self;
        output.say(format_args!("attached to {words}; byte 0 of a packet is the {}", hook.byte0));
        let names = json!({ "kind": "attached", "program": program, "hook": hook.name });
        output.data(&merged(merged(names, facts.clone()), json!({ "byte0": hook.byte0 })))
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
            _ => Flow::Packets,
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
        Ok(())
    }

    /// Finds what the target names, before anything is loaded.
    pub(crate) fn find(&self, options: &TargetOptions, timeout: Duration, signals: &Signals) -> Result<Place, Failure> {
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

impl Place {
    /// Opens the socket, with the filter on it from the start.
    pub(crate) fn open(&self, opening: &mut Opening<'_>) -> Result<Opened, Failure> {
        match self {
            Self::TcpClient { addresses, after_connect } => opening.tcp_client(addresses, *after_connect),
            Self::TcpListener(addresses) => opening.tcp_listener(addresses),
            Self::Udp { addresses, connects } => opening.udp(addresses, *connects),
            Self::UnixClient { path, is_stream } => opening.unix_client(path, *is_stream),
            Self::UnixServer(path) => opening.unix_server(path),
            Self::Raw { protocol, is_v6, address } => opening.raw(*protocol, *is_v6, *address),
            Self::Packet { interface, is_cooked } => opening.packet(interface, *is_cooked),
        }
    }
}
