//! What the pump talks to: a connection, one connection after the other, datagrams, or copies of packets.

use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use minibpf::hook::tcp;
use minibpf::observe::stats::{SocketStats, drops};
use nix::errno::Errno;
use nix::sys::socket::{
    MsgFlags, Shutdown, SockaddrStorage, getsockopt, recv, recvfrom, send, sendto, shutdown, sockopt,
};

use crate::cmd::failure::Failure;
use crate::cmd::target::foreign::Foreign;
use crate::cmd::target::opening::internet;
use crate::cmd::target::owner::{Owner, another};
use crate::cmd::target::{Flow, Member, Opened};

/// What receiving gave.
pub(super) enum Received {
    /// So many bytes: some of a stream's, or one datagram.
    Bytes(usize),
    /// The peer has closed its side.
    End,
    /// A connection of a listener, from this address.
    Peer(String),
}

/// A socket, and how to use it.
pub(crate) struct Endpoint<'a> {
    socket: &'a OwnedFd,
    flow: Flow,
    foreign: Option<&'a Foreign>,
    owner: Option<&'a Owner>,
    /// To accept with.
    listener: Option<TcpListener>,
    /// What a listener has accepted.
    accepted: Option<OwnedFd>,
    /// Whoever sent the last datagram.
    sender: Option<SockaddrStorage>,
    /// Of connections that have ended.
    drops: u32,
    /// The sockets of a group, and what each has got.
    members: &'a [OwnedFd],
    counts: Vec<u64>,
}

impl<'a> Endpoint<'a> {
    pub(crate) fn new(opened: &'a Opened) -> Result<Self, Failure> {
        let Opened { socket, flow, foreign, members, .. } = opened;
        let (foreign, flow) = (foreign.as_ref(), *flow);
        let listener = match flow {
            Flow::Listener => Some(TcpListener::from(another(socket)?)),
            _ => None,
        };
        Ok(Self {
            socket,
            flow,
            foreign,
            owner: opened.owner(),
            listener,
            accepted: None,
            sender: None,
            drops: 0,
            members,
            counts: vec![0; members.len()],
        })
    }

    pub(super) fn flow(&self) -> Flow {
        self.flow
    }

    /// What is read from: of a listener the connection, if there is one; of a foreign socket the process.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.accepted.as_ref().unwrap_or(self.socket).as_fd()
    }

    /// The sockets of a group, all of which are read.
    pub(super) fn members(&self) -> &'a [OwnedFd] {
        self.members
    }

    /// What each socket of a group has got: datagrams, connections, frames.
    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Takes what the first member has that has anything.
    fn receive_of_group(&mut self, member: Member, buffer: &mut [u8]) -> Result<Received, Errno> {
        for (socket, count) in self.members.iter().zip(&mut self.counts) {
            let result = match member {
                Member::Datagrams => recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC | MsgFlags::MSG_DONTWAIT),
                Member::Connections => accept_and_close(socket),
                Member::Frames => nix::unistd::read(socket, buffer),
            };
            if result != Err(Errno::EAGAIN) {
                *count += u64::from(result.is_ok());
                return result.map(Received::Bytes);
            }
        }
        Err(Errno::EAGAIN)
    }

    /// Whether there is anything to read. Of an inherited socket somebody else reads.
    pub(super) fn is_read(&self) -> bool {
        self.owner.is_none_or(|owner| matches!(owner, Owner::Process { .. }))
    }

    /// Whether a foreign socket's owner has closed it.
    pub(super) fn is_gone(&self) -> bool {
        self.owner.is_some_and(Owner::is_gone)
    }

    /// The TCP connection, if there is one.
    pub(super) fn connection(&self) -> Option<OwnedFd> {
        match self.flow {
            Flow::Stream { is_tcp: true } => self.socket.try_clone().ok(),
            Flow::Listener => self.accepted.as_ref()?.try_clone().ok(),
            Flow::Foreign => {
                let foreign = self.foreign.filter(|foreign| foreign.hook == tcp::CLIENT)?;
                foreign.owner.socket().filter(|socket| getsockopt(socket, sockopt::AcceptConn) == Ok(false))
            }
            _ => None,
        }
    }

    /// A listener's connection, for the filter that it has inherited.
    pub(crate) fn accepted(&self) -> Option<&OwnedFd> {
        self.accepted.as_ref()
    }

    /// Whether there is somebody to send to.
    pub(super) fn can_send(&self) -> bool {
        match self.flow {
            Flow::Stream { .. } | Flow::Connected => true,
            Flow::Listener => self.accepted.is_some(),
            Flow::Bound => self.sender.is_some(),
            Flow::Packets | Flow::Foreign | Flow::Elsewhere | Flow::Group(_) => false,
        }
    }

    /// Whether the end of standard input is an end of the connection's, too.
    fn is_stream(&self) -> bool {
        matches!(self.flow, Flow::Stream { .. }) || self.accepted.is_some()
    }

    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Result<Received, Errno> {
        if let (Some(listener), None) = (&self.listener, &self.accepted) {
            let (stream, peer) = listener.accept().map_err(errno)?;
            stream.set_nonblocking(true).map_err(errno)?;
            self.accepted = Some(stream.into());
            return Ok(Received::Peer(peer.to_string()));
        }
        let fd = self.fd().as_raw_fd();
        match self.flow {
            // A descriptor for a process becomes readable when it ends.
            Flow::Foreign | Flow::Elsewhere => Ok(Received::End),
            Flow::Group(member) => self.receive_of_group(member, buffer),
            Flow::Packets => {
                // Its whole length, though it is thrown away.
                recv(fd, &mut [0; 1], MsgFlags::MSG_TRUNC | MsgFlags::MSG_DONTWAIT).map(Received::Bytes)
            }
            Flow::Bound => {
                let (count, sender) = recvfrom::<SockaddrStorage>(fd, buffer)?;
                // One without a name cannot be answered.
                self.sender =
                    sender.filter(|sender| internet(sender).is_some() || sender.as_unix_addr().is_some_and(has_name));
                Ok(Received::Bytes(count))
            }
            Flow::Connected => recv(fd, buffer, MsgFlags::MSG_DONTWAIT).map(Received::Bytes),
            Flow::Stream { .. } | Flow::Listener => match recv(fd, buffer, MsgFlags::MSG_DONTWAIT)? {
                0 => Ok(Received::End),
                count => Ok(Received::Bytes(count)),
            },
        }
    }

    /// Sends some of a stream's bytes, or one datagram.
    pub(super) fn send(&self, bytes: &[u8]) -> Result<usize, Errno> {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        match &self.sender {
            Some(sender) => sendto(self.socket.as_raw_fd(), bytes, sender, flags),
            None => send(self.fd().as_raw_fd(), bytes, flags),
        }
    }

    /// Tells the peer that there is no more to come.
    pub(super) fn end_sending(&self) -> Result<(), Errno> {
        if !self.is_stream() {
            return Ok(());
        }
        match shutdown(self.fd().as_raw_fd(), Shutdown::Write) {
            Err(Errno::ENOTCONN) => Ok(()),
            result => result,
        }
    }

    /// Lets a listener go on with the next connection; `false` where this one was the only one.
    pub(super) fn goes_on(&mut self) -> bool {
        self.drops = self.drops.wrapping_add(self.accepted.take().and_then(drops).unwrap_or(0));
        self.flow == Flow::Listener
    }

    /// What the socket has counted: the connection of a listener, or the listener. Of a group there is no one socket.
    pub(super) fn look(&self, stats: &mut SocketStats) {
        match self.owner {
            _ if !self.members.is_empty() || self.flow == Flow::Elsewhere => {}
            Some(owner) => owner.socket().iter().for_each(|socket| stats.look(socket, false)),
            None => stats.look(self.fd(), true),
        }
    }

    /// Packets that the sockets have dropped, the filter's among them; `None` where those are not counted.
    pub(super) fn drops(&self) -> Option<u32> {
        if let Some(owner) = self.owner {
            return drops(owner.socket()?);
        }
        if !self.members.is_empty() {
            return self.members.iter().map(drops).sum();
        }
        let accepted = self.accepted.as_ref().and_then(drops).unwrap_or(0);
        Some(drops(self.socket)?.wrapping_add(self.drops).wrapping_add(accepted))
    }
}

/// A connection is counted, not served.
fn accept_and_close(listener: &OwnedFd) -> Result<usize, Errno> {
    TcpListener::from(listener.try_clone().map_err(errno)?).accept().map(|_| 0).map_err(errno)
}

fn has_name(address: &nix::sys::socket::UnixAddr) -> bool {
    address.path().is_some() || address.as_abstract().is_some()
}

fn errno(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
