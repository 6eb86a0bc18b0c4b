//! A payload over a TCP connection: a listener with the filter on it has the packet's port, a client connects from the packet's
//! other port and sends. What the listener accepts inherits the filter.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Instant;

use minibpf::hook::tcp;
use minibpf::sys::{SysError, counters, socket};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    Backlog, MsgFlags, SockaddrStorage, bind, listen, recv, send as send_bytes, setsockopt, sockopt,
};

use super::super::trial::{Seen, Unfit};
use super::{Route, STEP, Segments, Travel, socket_problem};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::target::opening::{Opening, connect, local};

/// Bytes of a header without options, and of the options that each segment has where timestamps are in use.
const HEADER: usize = 20;
const TIMESTAMPS: usize = 12;

/// A sender fills at most half of the peer's window of 64 KiB with one segment (`tcp_bound_to_half_wnd()`, `include/net/tcp.h`).
const ONE_SEGMENT: usize = 32000;

/// Both ends of a connection.
struct Connection {
    sender: OwnedFd,
    /// Has the filter.
    receiver: OwnedFd,
    /// Whether it came about through the filter.
    handshake: bool,
}

/// Sends a payload. A filter that drops a handshake gets no further one: it is attached when the connection stands.
pub(super) fn send(
    route: &Route,
    payload: &[u8],
    opening: &mut Opening<'_>,
    refuses: &mut bool,
) -> Result<Seen, Unfit> {
    let filtered = if *refuses { None } else { filtered(route, opening)? };
    *refuses |= filtered.is_none();
    let connection = match filtered {
        Some(connection) => connection,
        None => unfiltered(route, opening)?,
    };
    connection.carry(payload, opening.deadline)
}

/// A connection whose every packet goes through the filter; `None` if that lets none come about.
fn filtered(route: &Route, opening: &mut Opening<'_>) -> Result<Option<Connection>, Unfit> {
    let listener = opening.tcp_listener(&[route.to])?.socket;
    let Some(sender) = client(route, &listener, opening.deadline)? else { return Ok(None) };
    let receiver = accept(&listener, opening.deadline)?;
    Ok(receiver.map(|receiver| Connection { sender, receiver, handshake: true }))
}

/// A connection that stands when the filter comes.
fn unfiltered(route: &Route, opening: &mut Opening<'_>) -> Result<Connection, Unfit> {
    let listener = open(route.to)?;
    let backlog = Backlog::new(1).map_err(|errno| socket_problem("listen", errno))?;
    listen(&listener, backlog).map_err(|errno| socket_problem("listen", errno))?;
    let stands = client(route, &listener, opening.deadline)?.zip(accept(&listener, opening.deadline)?);
    let (sender, receiver) = stands.ok_or_else(no_connection)?;
    opening.attach(&receiver, "to the connection that stands: the filter drops the handshake")?;
    Ok(Connection { sender, receiver, handshake: false })
}

/// A socket bound to an address.
fn open(address: SocketAddr) -> Result<OwnedFd, Unfit> {
    let socket = socket::open(tcp::kind(address.is_ipv6())).map_err(|error| Failure::new(Exit::Socket, error))?;
    let bound = setsockopt(&socket, sockopt::ReuseAddr, &true)
        .and_then(|()| bind(socket.as_raw_fd(), &SockaddrStorage::from(address)));
    bound.map_err(|errno| socket_problem(&address.to_string(), errno))?;
    Ok(socket)
}

/// Connects to a listener; `None` if its filter drops the SYN.
fn client(route: &Route, listener: &OwnedFd, deadline: Instant) -> Result<Option<OwnedFd>, Unfit> {
    let failed = |errno| socket_problem("connecting on the loopback interface", errno);
    let sender = open(route.from)?;
    reset_on_close(&sender)?;
    // All of a payload fits into the buffer.
    setsockopt(&sender, sockopt::SndBuf, &(1 << 18)).map_err(failed)?;
    setsockopt(&sender, sockopt::TcpNoDelay, &true).map_err(failed)?;
    let to = local(listener).unwrap_or(route.to);
    match connect(&sender, &SockaddrStorage::from(to)) {
        Ok(()) => return Ok(Some(sender)),
        Err(Errno::EINPROGRESS) => {}
        Err(errno) => return Err(failed(errno)),
    }
    if !stands(&sender, PollFlags::POLLOUT, listener, deadline)? {
        return Ok(None);
    }
    match nix::sys::socket::getsockopt(&sender, sockopt::SocketError).map_err(failed)? {
        0 => Ok(Some(sender)),
        number => Err(failed(Errno::from_raw(number))),
    }
}

/// The listener's end; `None` if its filter drops the last packet of the handshake.
fn accept(listener: &OwnedFd, deadline: Instant) -> Result<Option<OwnedFd>, Unfit> {
    if !stands(listener, PollFlags::POLLIN, listener, deadline)? {
        return Ok(None);
    }
    let failed = |error: std::io::Error| Failure::new(Exit::Socket, format!("accepting it: {error}"));
    let listener = std::net::TcpListener::from(listener.try_clone().map_err(failed)?);
    let (stream, _) = listener.accept().map_err(failed)?;
    stream.set_nonblocking(true).map_err(failed)?;
    let receiver = stream.into();
    reset_on_close(&receiver)?;
    Ok(Some(receiver))
}

/// Closing ends the connection at once, on both sides: a filter may drop what would end it in order, and the next packet may have
/// the same ports.
fn reset_on_close(socket: &OwnedFd) -> Result<(), Unfit> {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(socket, sockopt::Linger, &linger).map_err(|errno| socket_problem("SO_LINGER", errno))
}

/// Waits for one end of a connection; `false`: the listener has counted a drop, and what it drops is the handshake.
fn stands(end: &OwnedFd, what: PollFlags, listener: &OwnedFd, deadline: Instant) -> Result<bool, Unfit> {
    while !is_ready(end, what)? {
        if counters::drops(listener).map_err(sys)? > 0 {
            return Ok(false);
        }
        if Instant::now() >= deadline {
            return Err(no_connection());
        }
    }
    Ok(true)
}

fn no_connection() -> Unfit {
    Unfit::Packet("no connection came about in time, and no packet of the handshake was dropped".to_owned())
}

fn is_ready(socket: &OwnedFd, what: PollFlags) -> Result<bool, Unfit> {
    let mut fds = [PollFd::new(socket.as_fd(), what)];
    match poll(&mut fds, PollTimeout::from(STEP.as_millis() as u16)) {
        Ok(_) | Err(Errno::EINTR | Errno::EAGAIN) => Ok(fds.first().and_then(PollFd::any) == Some(true)),
        Err(errno) => Err(socket_problem("waiting", errno)),
    }
}

fn sys(error: SysError) -> Unfit {
    Failure::new(Exit::Socket, error).into()
}

/// What of a payload has come.
#[derive(Default)]
struct Came {
    bytes: usize,
    /// How many of them were the first to be there.
    first: usize,
}

impl Came {
    fn add(&mut self, count: usize) {
        if self.bytes == 0 {
            self.first = count;
        }
        self.bytes += count;
    }
}

impl Connection {
    /// Sends a payload, and watches until all of it is there, or TCP has sent a part of it again.
    fn carry(&self, payload: &[u8], deadline: Instant) -> Result<Seen, Unfit> {
        let drops = || counters::drops(&self.receiver).map_err(sys);
        let (drops_before, before) = (drops()?, counters::tcp_info(&self.sender).map_err(sys)?);
        let sent = send_bytes(self.sender.as_raw_fd(), payload, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        match sent {
            Ok(count) if count == payload.len() => {}
            Ok(count) => return Err(Unfit::Packet(format!("only {count} bytes of it fit into the sender's buffer"))),
            Err(errno) => return Err(socket_problem("sending it", errno)),
        }
        let mut came = Came::default();
        let (now, last) = loop {
            let count = self.receive(payload.len())?;
            came.add(count);
            let now = counters::tcp_info(&self.sender).map_err(sys)?;
            let retransmits = now.total_retrans().wrapping_sub(before.total_retrans());
            if came.bytes >= payload.len() || retransmits > 0 || Instant::now() >= deadline {
                break (now, count);
            }
            is_ready(&self.receiver, PollFlags::POLLIN)?;
        };
        if drops()? == drops_before {
            // On a busy machine it may have come, and been sent again for want of an answer, since it was looked for; or what was sent again
            // is still on its way.
            if last == 0 && came.bytes < payload.len() {
                is_ready(&self.receiver, PollFlags::POLLIN)?;
            }
            came.add(self.receive(payload.len())?);
        }
        let retransmits = now.total_retrans().wrapping_sub(before.total_retrans());
        let count = now.data_segs_out.wrapping_sub(before.data_segs_out).saturating_sub(retransmits);
        let header = HEADER + if now.has_timestamps() { TIMESTAMPS } else { 0 };
        let is_dropped = came.bytes == 0 && drops()? != drops_before;
        if count > 1 {
            let (all, segments) = (payload.len(), count);
            return Err(Unfit::Packet(format!(
                "its payload of {all} bytes went in {segments} segments, each of which the filter judges by itself; {ONE_SEGMENT} bytes fit into one"
            )));
        }
        // What came first counts: what was cut off or dropped is sent again in pieces that may be short enough to pass.
        let kept = if is_dropped || came.bytes > 0 && came.first == 0 { None } else { Some(header + came.first) };
        let tcp = Some(Segments { count, retransmits, handshake: self.handshake });
        let travel = Travel { payload: payload.len(), received: came.bytes, tcp };
        Ok(Seen::arrived(header + payload.len(), kept, header, travel))
    }

    /// What is there.
    fn receive(&self, room: usize) -> Result<usize, Unfit> {
        match recv(self.receiver.as_raw_fd(), &mut vec![0; room], MsgFlags::MSG_DONTWAIT) {
            Ok(count) => Ok(count),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            Err(errno) => Err(socket_problem("receiving it", errno)),
        }
    }
}
