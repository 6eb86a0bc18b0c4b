//! A UDP datagram: a socket with the filter on it is bound to the packet's port, and another sends from the packet's other port.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

use minibpf::hook::udp;
use minibpf::sys::{counters, socket};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockaddrStorage, bind, recv, sendto};

use super::super::trial::{Seen, Unfit};
use super::{Route, STEP, Travel, socket_problem};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::target::opening::{Opening, local};

/// Bytes of the header, which no filter can cut.
const HEADER: usize = 8;

pub(super) fn send(route: &Route, payload: &[u8], opening: &mut Opening<'_>) -> Result<Seen, Unfit> {
    let receiver = opening.udp(&[route.to], false)?.socket;
    // Port 0 has become another.
    let to = local(&receiver).unwrap_or(route.to);
    let sender = socket::open(udp::kind(to.is_ipv6())).map_err(|error| Failure::new(Exit::Socket, error))?;
    bind(sender.as_raw_fd(), &SockaddrStorage::from(route.from))
        .map_err(|errno| socket_problem("the sender's port", errno))?;
    sendto(sender.as_raw_fd(), payload, &SockaddrStorage::from(to), MsgFlags::MSG_DONTWAIT)
        .map_err(|errno| socket_problem("sending it", errno))?;
    let received = receive(&receiver, payload.len(), opening.deadline)?;
    let travel = Travel { payload: payload.len(), received: received.unwrap_or(0), tcp: None };
    Ok(Seen::arrived(HEADER + payload.len(), received.map(|count| HEADER + count), HEADER, travel))
}

/// Bytes that arrived; `None` if the socket has counted a drop.
fn receive(receiver: &OwnedFd, room: usize, deadline: Instant) -> Result<Option<usize>, Unfit> {
    let mut buffer = vec![0; room.max(1)];
    loop {
        // Looked at first: a datagram that comes in between is there when it is asked for.
        let drops = counters::drops(receiver).map_err(|error| Failure::new(Exit::Socket, error))?;
        match recv(receiver.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC) {
            Ok(count) => return Ok(Some(count)),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) if drops > 0 => return Ok(None),
            Err(Errno::EAGAIN) if Instant::now() < deadline => std::thread::sleep(STEP),
            Err(Errno::EAGAIN) => return Err(Unfit::Packet("neither arrived nor was dropped in time".to_owned())),
            Err(errno) => return Err(socket_problem("receiving it", errno)),
        }
    }
}
