//! A datagram between two UNIX sockets. The filter runs within send(2), so what is not there after it was dropped.

use std::os::fd::{AsRawFd, OwnedFd};

use minibpf::hook::unix;
use minibpf::sys::socket;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, UnixAddr, recv, sendto};

use super::super::trial::{Seen, Unfit};
use super::{Travel, socket_failure, socket_problem};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::target::opening::Opening;
use crate::cmd::target::parse::UnixPath;

/// In the abstract namespace, which each network namespace has of its own: nobody else has the name.
const NAME: &str = "minibpf-run";

/// A return value below 1 drops, so there is none that keeps less.
const LEAST: usize = 0;

pub(in super::super) struct Datagrams {
    sender: OwnedFd,
    receiver: OwnedFd,
    address: UnixAddr,
}

impl Datagrams {
    pub(super) fn open(opening: &mut Opening<'_>) -> Result<Self, Failure> {
        let receiver = opening.unix_server(&UnixPath(format!("@{NAME}")))?.socket;
        let sender = socket::open(unix::kind(false)).map_err(|error| Failure::new(Exit::Socket, error))?;
        let address = UnixAddr::new_abstract(NAME.as_bytes()).map_err(|errno| socket_failure(NAME, errno))?;
        Ok(Self { sender, receiver, address })
    }

    pub(super) fn send(&self, payload: &[u8]) -> Result<Seen, Unfit> {
        sendto(self.sender.as_raw_fd(), payload, &self.address, MsgFlags::MSG_DONTWAIT)
            .map_err(|errno| socket_problem("sending it", errno))?;
        let mut buffer = vec![0; payload.len().max(1)];
        let kept = match recv(self.receiver.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC) {
            Ok(count) => Some(count),
            Err(Errno::EAGAIN) => None,
            Err(errno) => return Err(socket_problem("receiving it", errno)),
        };
        let travel = Travel { payload: payload.len(), received: kept.unwrap_or(0), tcp: None };
        Ok(Seen::arrived(payload.len(), kept, LEAST, travel))
    }
}
