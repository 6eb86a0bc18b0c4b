//! Sockets of datagrams: UDP, UNIX and raw IP; and the UNIX stream, which is opened like them.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use minibpf::explain::Fd;
use minibpf::hook::{raw, udp, unix};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockaddrLike, SockaddrStorage, UnixAddr, recv};
use serde_json::json;

use super::calls::{self, Address};
use super::opening::{FIRST, Opening, connect, local_of};
use super::parse::UnixPath;
use super::{Flow, Opened};
use crate::cmd::failure::{Exit, Failure};

/// Packets that a raw socket may have in its queue before it has its filter; its receive buffer holds fewer.
const QUEUED: usize = 100_000;

/// A socket's file, removed when the socket is done with.
pub(crate) struct SocketFile(pub(super) PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else may have removed it.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Opening<'_> {
    pub(crate) fn udp(&mut self, addresses: &[SocketAddr], connects: bool) -> Result<Opened, Failure> {
        self.first(
            addresses,
            |opening, address, _| if connects { opening.udp_client(address) } else { opening.udp_server(address) },
        )
    }

    fn udp_client(&mut self, peer: SocketAddr) -> Result<Opened, Failure> {
        let socket = self.socket(udp::kind(peer.is_ipv6()), "not connected yet").map_err(|failure| failure.at(peer))?;
        self.attach(&socket, FIRST)?;
        self.connect_datagrams(&socket, &SockaddrStorage::from(peer), peer, &peer.to_string())?;
        let local = local_of(&socket, peer)?;
        let facts = json!({ "local": local.to_string(), "peer": peer.to_string(), "when": "before connect" });
        Ok(Opened::new(udp::HOOK, Flow::Connected, socket, format!("udp {local} -> {peer}"), facts))
    }

    fn udp_server(&mut self, address: SocketAddr) -> Result<Opened, Failure> {
        let socket =
            self.socket(udp::kind(address.is_ipv6()), "not bound yet").map_err(|failure| failure.at(address))?;
        self.attach(&socket, FIRST)?;
        let local = self.bind_inet(&socket, address)?;
        let facts = json!({ "local": local.to_string(), "peer": null, "when": "before bind" });
        Ok(Opened::new(udp::HOOK, Flow::Bound, socket, format!("udp {local}"), facts))
    }

    fn connect_datagrams(
        &self,
        socket: &OwnedFd,
        address: &dyn SockaddrLike,
        shown: impl Into<Address>,
        place: &str,
    ) -> Result<(), Failure> {
        let result = connect(socket, address);
        let call = || calls::connect(Fd::of(socket), shown, "from here on it sends there");
        self.tracer.call(call, result.map(|()| 0))?;
        let failed =
            |errno: Errno| Failure::new(Exit::Socket, format!("{place}: connect: {} ({errno:?})", errno.desc()));
        result.map_err(|errno| match errno {
            Errno::EPROTOTYPE => failed(errno)
                .hint("a socket of the other kind is bound there: unix: is a stream, unixgram: is datagrams"),
            Errno::EACCES => {
                Failure { exit: Exit::Privileges, ..failed(errno) }.hint("its mode does not let this user write to it")
            }
            Errno::EAGAIN => failed(errno).hint("as many connections as it allows are waiting to be accepted"),
            _ => failed(errno),
        })
    }

    /// A UNIX client. One of datagrams gets an abstract name of its own, which leaves no file: without, nobody can answer.
    pub(super) fn unix_client(&mut self, path: &UnixPath, is_stream: bool) -> Result<Opened, Failure> {
        let address = unix_address(path)?;
        let hook = if is_stream { unix::STREAM } else { unix::DATAGRAM };
        if is_stream {
            self.output.warn(
                "never-runs",
                format_args!("the kernel attaches a filter to a UNIX stream, and never runs it: {}", hook.kernel),
            )?;
        }
        let socket = self.socket(unix::kind(is_stream), "not connected yet")?;
        self.attach(&socket, FIRST)?;
        if !is_stream {
            let unnamed = UnixAddr::new_unnamed();
            self.bind(&socket, &unnamed, &unnamed, &path.0)?;
        }
        self.connect_datagrams(&socket, &address, &address, &path.0)?;
        let flow = if is_stream { Flow::Stream { is_tcp: false } } else { Flow::Connected };
        let facts = json!({ "local": null, "peer": path.0, "when": "before connect" });
        Ok(Opened::new(hook, flow, socket, format!("{} -> {}", hook.name, path.0), facts))
    }

    pub(crate) fn unix_server(&mut self, path: &UnixPath) -> Result<Opened, Failure> {
        let address = unix_address(path)?;
        let socket = self.socket(unix::kind(false), "not bound yet")?;
        self.attach(&socket, FIRST)?;
        self.bind(&socket, &address, &address, &path.0)?;
        let file = address.path().map(|path| SocketFile(path.to_owned()));
        let facts = json!({ "local": path.0, "peer": null, "when": "before bind" });
        let opened = Opened::new(unix::DATAGRAM, Flow::Bound, socket, format!("unixgram {}", path.0), facts);
        Ok(Opened { file, ..opened })
    }

    /// A raw socket; without an address it is not bound.
    pub(super) fn raw(&mut self, protocol: u8, is_v6: bool, address: Option<SocketAddr>) -> Result<Opened, Failure> {
        let hook = if is_v6 { raw::V6 } else { raw::V4 };
        let socket = self.socket(raw::kind(is_v6, protocol), "receives from here on")?;
        self.attach(&socket, "what came before is thrown away")?;
        drain(&socket);
        if let Some(address) = address {
            self.bind_inet(&socket, address)?;
        }
        let at = address.map_or_else(String::new, |address| format!(" at {}", address.ip()));
        let local = address.map(|address| address.ip().to_string());
        let facts = json!({ "local": local, "peer": null, "protocol": protocol, "when": "after socket" });
        Ok(Opened::new(hook, Flow::Bound, socket, format!("raw protocol {protocol}{at}"), facts))
    }
}

/// Throws away what came without a filter.
fn drain(socket: &OwnedFd) {
    for _ in 0..QUEUED {
        if recv(socket.as_raw_fd(), &mut [0; 1], MsgFlags::MSG_DONTWAIT).is_err() {
            break;
        }
    }
}

fn unix_address(UnixPath(path): &UnixPath) -> Result<UnixAddr, Failure> {
    let address = match path.strip_prefix('@') {
        Some(name) => UnixAddr::new_abstract(name.as_bytes()),
        None => UnixAddr::new(path.as_str()),
    };
    address.map_err(|errno| Failure::new(Exit::Socket, format!("{path}: {}", errno.desc())))
}
