//! TCP: the client and the listener.
//!
//! The filter is attached between socket(2) and connect(2), so that even the peer's SYN-ACK goes through it. Each address
//! of a name gets a socket of its own, and each socket its filter.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use minibpf::explain::Fd;
use minibpf::hook::tcp;
use minibpf::sys::counters;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{Backlog, SockaddrStorage, setsockopt, sockopt};
use serde_json::json;

use super::opening::{FIRST, Opening, connect, local_of};
use super::{Flow, Opened, calls};
use crate::cmd::failure::{Exit, Failure};

/// Connections that may wait while one is served.
const BACKLOG: i32 = 16;

impl Opening<'_> {
    /// A connection: tries each address until one answers.
    pub(crate) fn tcp_client(&mut self, addresses: &[SocketAddr], after_connect: bool) -> Result<Opened, Failure> {
        self.first(addresses, |opening, address, deadline| opening.try_address(address, deadline, after_connect))
    }

    fn try_address(&mut self, peer: SocketAddr, deadline: Instant, after_connect: bool) -> Result<Opened, Failure> {
        let socket = self.socket(tcp::kind(peer.is_ipv6()), "not connected yet").map_err(|failure| failure.at(peer))?;
        if !after_connect {
            self.attach(&socket, "before connect(2): the peer's first answer is filtered too")?;
        }
        self.connect(&socket, peer, deadline)?;
        if after_connect {
            self.attach(&socket, "what came before was not filtered")?;
        }
        let local = local_of(&socket, peer)?;
        let when = if after_connect { "after connect" } else { "before connect" };
        let facts = json!({ "local": local.to_string(), "peer": peer.to_string(), "when": when });
        Ok(Opened::new(tcp::CLIENT, Flow::Stream { is_tcp: true }, socket, format!("tcp {local} -> {peer}"), facts))
    }

    /// connect(2), watched: a filter that drops the peer's SYN-ACK makes it hang.
    fn connect(&self, socket: &OwnedFd, address: SocketAddr, deadline: Instant) -> Result<(), Failure> {
        let result = connect(socket, &SockaddrStorage::from(address));
        self.tracer.call(|| calls::connect(Fd::of(socket), address, "the handshake"), result.map(|()| 0))?;
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
                Ok(_) | Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(errno) => {
                    let why = format!("{address}: poll, waiting for connect: {} ({errno:?})", errno.desc());
                    return Err(Failure::new(Exit::Socket, why));
                }
            }
            if self.signals.came() {
                // Nothing is connected and nothing counted: closing the socket is all there is to do.
                self.output.say("interrupted before the connection stood");
                return Err(Failure::interrupted());
            }
            if fds.first().and_then(PollFd::any) == Some(true) {
                return match nix::sys::socket::getsockopt(socket, sockopt::SocketError) {
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

    /// A listener: the first address of a name that can be bound.
    pub(crate) fn tcp_listener(&mut self, addresses: &[SocketAddr]) -> Result<Opened, Failure> {
        self.first(addresses, |opening, address, _| opening.try_listen(address))
    }

    fn try_listen(&mut self, address: SocketAddr) -> Result<Opened, Failure> {
        let failed = |what: &str, errno: Errno| {
            Failure::new(Exit::Socket, format!("{address}: {what}: {} ({errno:?})", errno.desc()))
        };
        let socket =
            self.socket(tcp::kind(address.is_ipv6()), "not bound yet").map_err(|failure| failure.at(address))?;
        self.attach(&socket, FIRST)?;
        let reuse = setsockopt(&socket, sockopt::ReuseAddr, &true);
        let why = "connections that have just ended must not keep the port";
        self.tracer.call(|| calls::set_option(Fd::of(&socket), "SO_REUSEADDR", why), reuse.map(|()| 0))?;
        reuse.map_err(|errno| failed("SO_REUSEADDR", errno))?;
        let local = self.bind_inet(&socket, address)?;
        let backlog = Backlog::new(BACKLOG).map_err(|errno| failed("listen", errno))?;
        let result = nix::sys::socket::listen(&socket, backlog);
        self.tracer.call(|| calls::listen(Fd::of(&socket), BACKLOG as u64), result.map(|()| 0))?;
        result.map_err(|errno| failed("listen", errno))?;
        let facts = json!({ "local": local.to_string(), "peer": null, "when": "before bind" });
        let words = format!("tcp {local}, listening; what it accepts inherits the filter");
        Ok(Opened::new(tcp::LISTENER, Flow::Listener, socket, words, facts))
    }
}
