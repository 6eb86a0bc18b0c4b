//! `--as tcp`, `udp`, `packet`, `unixgram`: the packet travels over a real socket that has the filter on it, on the loopback interface
//! of a network namespace that has nothing else in it.
//!
//! A socket does not tell what its filter returned, nor how many bytes it was asked about. Both follow from what arrives: the
//! whole payload, a part of it, or nothing while a drop is counted.

mod packet;
mod tcp;
mod udp;
mod unixgram;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use minibpf::packet::headers::{Headers, Transport};
use nix::errno::Errno;

use super::How;
use super::trial::{Seen, Unfit, Verdict};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::target::opening::Opening;
use packet::Packets;
use unixgram::Datagrams;

/// How often a socket is looked at that has nothing yet.
const STEP: Duration = Duration::from_millis(5);

/// What the application side saw of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Travel {
    /// Bytes that were sent, and bytes that the application got.
    pub(super) payload: usize,
    pub(super) received: usize,
    /// Of TCP.
    pub(super) tcp: Option<Segments>,
}

/// How a payload fared on a TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segments {
    /// Segments that carried it, those that were sent again not counted.
    pub(super) count: u32,
    /// How often one was sent again.
    pub(super) retransmits: u32,
    /// Whether the filter lets a connection come about at all. Where it does not, it was attached to one that stood.
    pub(super) handshake: bool,
}

/// The sockets that packets travel over.
pub(super) enum Real {
    /// Two for each packet: it says the ports.
    Udp,
    /// The same, and whether the filter has dropped a handshake.
    Tcp {
        refuses: bool,
    },
    Packet(Packets),
    Unixgram(Datagrams),
}

impl Real {
    /// Opens the sockets that serve all packets; `None` for a test run, which needs none.
    pub(super) fn open(how: How, opening: &mut Opening<'_>) -> Result<Option<Self>, Failure> {
        Ok(Some(match how {
            How::TestRun => return Ok(None),
            How::Tcp => {
                // What was cut off is to be seen before it is sent again: no early probe for the tail, only the timer of 200 ms and more.
                // Of this namespace alone; where it cannot be set, a busy machine may take a trimmed segment for a whole one.
                let _ = std::fs::write("/proc/sys/net/ipv4/tcp_early_retrans", "0");
                Self::Tcp { refuses: false }
            }
            How::Udp => Self::Udp,
            How::Packet => Self::Packet(Packets::open(opening)?),
            How::Unixgram => Self::Unixgram(Datagrams::open(opening)?),
        }))
    }

    /// Lets a packet travel; gives it up for lost after `patience`.
    pub(super) fn send(&mut self, frame: &[u8], opening: &mut Opening<'_>, patience: Duration) -> Result<Seen, Unfit> {
        opening.deadline = Instant::now() + patience;
        match self {
            Self::Packet(packets) => packets.send(frame, opening.deadline),
            Self::Unixgram(datagrams) => datagrams.send(payload(frame, "a UNIX datagram")?.1),
            Self::Udp => {
                let (transport, payload) = payload(frame, "UDP")?;
                udp::send(&Route::of(&transport), payload, opening)
            }
            Self::Tcp { refuses } => {
                let (transport, payload) = payload(frame, "TCP")?;
                if payload.is_empty() {
                    return Err(Unfit::Packet(
                        "it has no payload, and without one nothing but a handshake travels over TCP".to_owned(),
                    ));
                }
                tcp::send(&Route::of(&transport), payload, opening, refuses)
            }
        }
    }
}

/// What TCP or UDP carries.
fn payload<'a>(frame: &'a [u8], over: &str) -> Result<(Transport, &'a [u8]), Unfit> {
    let transport = Headers::of(frame).and_then(|headers| headers.transport());
    let unfit = || {
        let what = match Headers::of(frame) {
            None => format!("{} bytes, which is not even an Ethernet header", frame.len()),
            Some(headers) => format!("{headers}: that is neither TCP nor UDP, or not the whole of it"),
        };
        Unfit::Packet(format!("{what}, so it has no payload to travel over {over}; --as packet carries it whole"))
    };
    let transport = transport.ok_or_else(unfit)?;
    let payload = frame.get(transport.payload.clone()).unwrap_or_default();
    Ok((transport, payload))
}

/// From where to where, on the loopback interface: with the packet's own ports.
struct Route {
    from: SocketAddr,
    to: SocketAddr,
}

impl Route {
    fn of(transport: &Transport) -> Self {
        let (from, to) = (transport.source.port(), transport.destination.port());
        // Two sockets cannot have one port at one address: IPv4 has more addresses, IPv6 takes another port.
        if transport.source.is_ipv6() {
            let here = |port| SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port);
            return Self { from: here(if from == to { 0 } else { from }), to: here(to) };
        }
        let here = |last, port| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), port);
        Self { from: here(if from == to { 2 } else { 1 }, from), to: here(1, to) }
    }
}

impl Seen {
    /// What is known of a packet of which `kept` of `len` bytes came through. A return value below `least` keeps as much as that.
    fn arrived(len: usize, kept: Option<usize>, least: usize, travel: Travel) -> Self {
        let (len, kept, least) = (len as u32, kept.map(|kept| kept as u32), least as u32);
        let (verdict, ret) = match kept {
            None => (Verdict::Drop, Some(0)),
            Some(kept) if kept >= len => (Verdict::Keep, None),
            Some(kept) => (Verdict::Trim, Some(kept).filter(|kept| *kept > least)),
        };
        Self { len, ret, verdict, kept: kept.unwrap_or(0), mean_ns: None, travel: Some(travel) }
    }
}

/// A socket that the packet needs cannot be had, which need not be so for the next one.
fn socket_problem(what: &str, errno: Errno) -> Unfit {
    Unfit::Packet(format!("{what}: {} ({errno:?})", errno.desc()))
}

/// A socket for all packets cannot be had.
fn socket_failure(what: &str, errno: Errno) -> Failure {
    Failure::new(Exit::Socket, format!("{what}: {} ({errno:?})", errno.desc()))
}
