//! The argument of `--attach`: a socket that somebody else has opened, a group, or a tun device.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use crate::cmd::host_port::HostPort;

/// Where to attach.
#[derive(Debug, Clone)]
pub(crate) enum AttachTo {
    /// Descriptor of a process.
    Descriptor { pid: i32, fd: i32 },
    /// A process's socket of this kind (`tcp`, `udp`) and address.
    Address { pid: i32, kind: &'static str, address: SocketAddr },
    /// A descriptor that minibpf was started with.
    Inherited(i32),
    /// The Nth of socket activation, from 0.
    Activated(i32),
    /// A group of sockets that minibpf opens.
    Reuseport { is_udp: bool, at: HostPort },
    /// The group that a process's socket is in.
    ReuseportOf { pid: i32, fd: i32 },
    /// A group of packet sockets that minibpf opens.
    Fanout { interface: String, group: u16 },
    /// A tun device: its filter, or the program that chooses the queue.
    Tun { steers: bool, device: Device },
}

/// A tun device.
#[derive(Debug, Clone)]
pub(crate) enum Device {
    Named(String),
    /// By a descriptor that a process has for it.
    Descriptor {
        pid: i32,
        fd: i32,
    },
}

impl AttachTo {
    /// Whether it is one socket, which takes its filter by `SO_ATTACH_BPF`.
    pub(crate) fn is_socket(&self) -> bool {
        matches!(self, Self::Descriptor { .. } | Self::Address { .. } | Self::Inherited(_) | Self::Activated(_))
    }
}

fn number(text: &str, what: &str) -> Result<i32, String> {
    match text.parse() {
        Ok(number) if number >= 0 => Ok(number),
        _ => Err(format!("`{text}` is no {what}")),
    }
}

/// `PID:REST`.
fn pid(text: &str) -> Result<(i32, &str), String> {
    let (pid, rest) = text.split_once(':').ok_or("expected pid:PID:FD, or pid:PID:tcp:ADDR")?;
    Ok((number(pid, "number of a process")?, rest))
}

fn of_process(text: &str) -> Result<AttachTo, String> {
    let (pid, which) = pid(text)?;
    let kind = which.split_once(':').filter(|(kind, _)| ["tcp", "udp"].contains(kind));
    let Some((kind, address)) = kind else {
        return Ok(AttachTo::Descriptor { pid, fd: number(which, "descriptor; an address begins with tcp: or udp:")? });
    };
    let address =
        address.parse().map_err(|_| format!("`{address}` is no address: 127.0.0.1:80 or [::1]:80, in numbers"))?;
    Ok(AttachTo::Address { pid, kind: if kind == "tcp" { "tcp" } else { "udp" }, address })
}

fn tun(steers: bool, text: &str) -> Result<AttachTo, String> {
    let device = match text.split_once(':') {
        Some(("pid", rest)) => {
            let (pid, fd) = pid(rest)?;
            Device::Descriptor { pid, fd: number(fd, "descriptor")? }
        }
        // IFNAMSIZ is 16, with the NUL.
        _ if text.is_empty() || text.len() > 15 || text.contains(['/', ':', '%']) => {
            return Err(format!("`{text}` is no name of an interface: up to 15 bytes without / and :"));
        }
        _ => Device::Named(text.to_owned()),
    };
    Ok(AttachTo::Tun { steers, device })
}

impl FromStr for AttachTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("fd", fd)) => Ok(Self::Inherited(number(fd, "descriptor")?)),
            Some(("listen-fd", nth)) => Ok(Self::Activated(number(nth, "number of a descriptor, from 0")?)),
            Some(("pid", rest)) => of_process(rest),
            Some(("reuseport", rest)) => {
                if let Some(of) = rest.strip_prefix("pid:") {
                    let (pid, fd) = pid(of)?;
                    return Ok(Self::ReuseportOf { pid, fd: number(fd, "descriptor")? });
                }
                let udp = rest.strip_prefix("udp:");
                Ok(Self::Reuseport { is_udp: udp.is_some(), at: HostPort::to_listen(udp.unwrap_or(rest))? })
            }
            Some(("fanout", rest)) => {
                let (interface, group) = rest.rsplit_once(':').ok_or("expected fanout:IFACE:GROUP")?;
                let group = group.parse().map_err(|_| format!("`{group}` is no group: a number from 0 to 65535"))?;
                Ok(Self::Fanout { interface: interface.to_owned(), group })
            }
            Some(("tun-filter", rest)) => tun(false, rest),
            Some(("tun-steer", rest)) => tun(true, rest),
            _ => Err("expected pid:PID:FD, pid:PID:tcp:ADDR, pid:PID:udp:ADDR, fd:N, listen-fd:N, reuseport:HOST:PORT, reuseport:udp:HOST:PORT, fanout:IFACE:GROUP, tun-filter:IFACE or tun-steer:IFACE".to_owned()),
        }
    }
}

impl fmt::Display for AttachTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Descriptor { pid, fd } => write!(f, "pid:{pid}:{fd}"),
            Self::Address { pid, kind, address } => write!(f, "pid:{pid}:{kind}:{address}"),
            Self::Inherited(fd) => write!(f, "fd:{fd}"),
            Self::Activated(nth) => write!(f, "listen-fd:{nth}"),
            Self::Reuseport { is_udp: true, at } => write!(f, "reuseport:udp:{at}"),
            Self::Reuseport { is_udp: false, at } => write!(f, "reuseport:{at}"),
            Self::ReuseportOf { pid, fd } => write!(f, "reuseport:pid:{pid}:{fd}"),
            Self::Fanout { interface, group } => write!(f, "fanout:{interface}:{group}"),
            Self::Tun { steers, device } => {
                f.write_str(if *steers { "tun-steer:" } else { "tun-filter:" })?;
                match device {
                    Device::Named(name) => f.write_str(name),
                    Device::Descriptor { pid, fd } => write!(f, "pid:{pid}:{fd}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_attached_to_is_written_as_it_is_read() {
        for text in [
            "pid:12:3",
            "pid:12:tcp:127.0.0.1:80",
            "pid:12:udp:[::1]:53",
            "fd:0",
            "listen-fd:1",
            "reuseport:[::1]:0",
            "reuseport:udp:localhost:53",
            "reuseport:pid:12:3",
            "fanout:eth0:7",
            "tun-filter:tap0",
            "tun-steer:pid:12:3",
        ] {
            assert_eq!(text.parse::<AttachTo>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_attached_to_is_refused() {
        for text in [
            "pid:12",
            "pid:x:3",
            "pid:12:",
            "pid:12:sctp:127.0.0.1:80",
            "pid:12:tcp:localhost:80",
            "fd:-1",
            "12:3",
            "fd:",
            "reuseport:80",
            "fanout:eth0",
            "fanout:eth0:65536",
            "tun-filter:",
            "tun-steer:a-name-that-is-too-long",
            "tun-filter:pid:12",
        ] {
            assert!(text.parse::<AttachTo>().is_err(), "{text}");
        }
    }
}
