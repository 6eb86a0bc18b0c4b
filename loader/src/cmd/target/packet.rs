//! `AF_PACKET`: opened with protocol 0, filtered, then bound to an interface.

use std::os::fd::OwnedFd;

use minibpf::hook::packet;
use nix::errno::Errno;
use serde_json::json;

use super::opening::Opening;
use super::{Flow, Opened};
use crate::cmd::failure::{Exit, Failure};

/// An interface that exists.
#[derive(Debug, Clone)]
pub(crate) struct Interface {
    pub(super) name: String,
    pub(super) index: u32,
}

impl Interface {
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        let index = nix::net::if_::if_nametoindex(name).map_err(|errno| {
            if errno != Errno::ENODEV {
                return Failure::new(Exit::Socket, format!("{name}: if_nametoindex: {} ({errno:?})", errno.desc()));
            }
            let failure = Failure::new(Exit::Socket, format!("{name}: there is no interface of this name"));
            let there = nix::net::if_::if_nameindex().ok();
            let there =
                there.map(|all| all.iter().map(|one| one.name().to_string_lossy().into_owned()).collect::<Vec<_>>());
            match there {
                Some(names) if !names.is_empty() => failure.hint(format!("there are: {}", names.join(", "))),
                _ => failure.hint("ip link shows those there are"),
            }
        })?;
        Ok(Self { name: name.to_owned(), index })
    }
}

impl Opening<'_> {
    pub(crate) fn packet(&mut self, interface: &Interface, is_cooked: bool) -> Result<Opened, Failure> {
        let Interface { name, index } = interface;
        let hook = if is_cooked { packet::COOKED } else { packet::RAW };
        let socket = self.packet_socket(is_cooked)?;
        self.attach(&socket, "before bind(2): no packet passes unfiltered")?;
        self.bind_packet(&socket, interface)?;
        let facts = json!({ "interface": name, "ifindex": index, "when": "before bind" });
        let cooked = if is_cooked { ", without the link's header" } else { "" };
        Ok(Opened::new(hook, Flow::Packets, socket, format!("packets of {name}{cooked}"), facts))
    }
    /// The same without a filter, and so for everything.
    pub(crate) fn packet_unfiltered(&self, interface: &Interface) -> Result<OwnedFd, Failure> {
        let socket = self.packet_socket(false)?;
        self.bind_packet(&socket, interface)?;
        Ok(socket)
    }

    fn packet_socket(&self, is_cooked: bool) -> Result<OwnedFd, Failure> {
        self.socket(packet::kind(is_cooked), "protocol 0: it receives nothing yet")
    }
}
