//! A whole frame, onto the loopback interface and off it again. Two packet sockets get it: the one with the filter, and a witness
//! without, which sends it too.
//!
//! The kernel gives a frame to the socket that was bound last first. So when the witness has it, the filter has decided, and what
//! is not there was dropped: such a drop is counted nowhere.
//!
//! A frame whose destination is not the loopback interface's address, all zero, has `pkt_type` `PACKET_OTHERHOST` there.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

use minibpf::packet::ETH_HLEN;
use minibpf::sys::{netns, socket};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send, setsockopt, sockopt};

use super::super::trial::{Seen, Unfit};
use super::{STEP, Travel, socket_problem};
use crate::cmd::failure::{Exit, Failure};
use crate::cmd::target::opening::Opening;
use crate::cmd::target::packet::Interface;

/// A return value below 1 drops, so there is none that keeps less.
const LEAST: usize = 0;

pub(in super::super) struct Packets {
    witness: OwnedFd,
    filtered: OwnedFd,
}

impl Packets {
    pub(super) fn open(opening: &mut Opening<'_>) -> Result<Self, Failure> {
        let failed = |error| Failure::new(Exit::Socket, error);
        // Else the machine would answer some of the frames, and the filter see those answers, too.
        netns::silence_loopback().map_err(failed)?;
        let loopback = Interface::named("lo")?;
        let witness = opening.packet_unfiltered(&loopback)?;
        let filtered = opening.packet(&loopback, false)?.socket;
        for socket in [&witness, &filtered] {
            socket::ignore_outgoing(socket).map_err(failed)?;
        }
        // The largest frames fit; where not, what cannot be received is an error of that packet.
        for socket in [&witness, &filtered] {
            let _ = setsockopt(socket, sockopt::RcvBuf, &(1 << 18));
        }
        let _ = setsockopt(&witness, sockopt::SndBuf, &(1 << 18));
        Ok(Self { witness, filtered })
    }

    pub(super) fn send(&self, frame: &[u8], deadline: Instant) -> Result<Seen, Unfit> {
        if frame.len() < ETH_HLEN {
            let problem = format!("{} bytes, but a frame has an Ethernet header of {ETH_HLEN} at least", frame.len());
            return Err(Unfit::Packet(problem));
        }
        send(self.witness.as_raw_fd(), frame, MsgFlags::MSG_DONTWAIT)
            .map_err(|errno| socket_problem("sending it on the loopback interface", errno))?;
        let lost = || Unfit::Packet("the loopback interface did not bring it back in time".to_owned());
        // The kernel takes a VLAN tag out of a frame before any socket sees it: the witness says how long the rest is.
        let len = loop {
            match receive(&self.witness)? {
                Some(len) => break len,
                None if Instant::now() >= deadline => return Err(lost()),
                None => std::thread::sleep(STEP),
            }
        };
        let kept = receive(&self.filtered)?;
        let travel = Travel { payload: len, received: kept.unwrap_or(0), tcp: None };
        Ok(Seen::arrived(len, kept, LEAST, travel))
    }
}

/// The whole length of what is there, which is thrown away.
fn receive(socket: &OwnedFd) -> Result<Option<usize>, Unfit> {
    match recv(socket.as_raw_fd(), &mut [0; 1], MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC) {
        Ok(count) => Ok(Some(count)),
        Err(Errno::EAGAIN) => Ok(None),
        Err(Errno::EINTR) => receive(socket),
        Err(errno) => Err(socket_problem("receiving it", errno)),
    }
}
