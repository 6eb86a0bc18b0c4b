//! Targets as they are written on the command line.

use std::str::FromStr;

use crate::cmd::host_port::HostPort;

/// The argument of `--connect`.
#[derive(Debug, Clone)]
pub(crate) enum ConnectTo {
    Tcp(HostPort),
    Udp(HostPort),
    Unix(UnixPath),
    Unixgram(UnixPath),
}

impl FromStr for ConnectTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("udp", rest)) => rest.parse().map(Self::Udp),
            Some(("unix", path)) => path.parse().map(Self::Unix),
            Some(("unixgram", path)) => path.parse().map(Self::Unixgram),
            Some(("raw", _)) => Err("a raw socket is not connected: --listen raw:PROTO[@HOST]".to_owned()),
            _ => text.parse().map(Self::Tcp),
        }
    }
}

/// The argument of `--listen`.
#[derive(Debug, Clone)]
pub(crate) enum ListenAt {
    Tcp(HostPort),
    Udp(HostPort),
    Unixgram(UnixPath),
    Raw(RawAt),
}

impl FromStr for ListenAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("udp", rest)) => HostPort::to_listen(rest).map(Self::Udp),
            Some(("unixgram", path)) => path.parse().map(Self::Unixgram),
            Some(("unix", _)) => {
                Err("the kernel never runs a filter on a UNIX stream; unixgram:PATH takes datagrams".to_owned())
            }
            Some(("raw", rest)) => rest.parse().map(Self::Raw),
            _ => HostPort::to_listen(text).map(Self::Tcp),
        }
    }
}

/// The path of a UNIX socket; `@NAME` is in the abstract namespace, as ss(8) shows it.
#[derive(Debug, Clone)]
pub(crate) struct UnixPath(pub(crate) String);

impl FromStr for UnixPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" | "@" => Err("the path of the socket is missing".to_owned()),
            // sun_path has 108 bytes, the last of them a NUL.
            long if long.len() > 107 => Err("the path of a UNIX socket has at most 107 bytes".to_owned()),
            path => Ok(Self(path.to_owned())),
        }
    }
}

/// `PROTO[@HOST]` of a raw IP socket.
#[derive(Debug, Clone)]
pub(crate) struct RawAt {
    pub(crate) protocol: u8,
    pub(crate) host: Option<HostPort>,
}

/// `IPPROTO_ICMPV6`.
const ICMPV6: u8 = 58;
/// Those that people name; /etc/protocols has more.
const PROTOCOLS: [(&str, u8); 9] = [
    ("icmp", 1),
    ("igmp", 2),
    ("tcp", 6),
    ("udp", 17),
    ("gre", 47),
    ("esp", 50),
    ("ipv6-icmp", ICMPV6),
    ("icmpv6", ICMPV6),
    ("sctp", 132),
];

impl FromStr for RawAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (protocol, host) = match text.split_once('@') {
            Some((protocol, host)) => (protocol, Some(HostPort::without_port(host)?)),
            None => (text, None),
        };
        let named = PROTOCOLS.iter().find(|(name, _)| *name == protocol).map(|(_, number)| *number);
        let protocol = match named.map_or_else(|| protocol.parse(), Ok) {
            Ok(0) => return Err("protocol 0 is no protocol".to_owned()),
            Ok(255) => return Err("a socket of protocol 255 (IPPROTO_RAW) only sends".to_owned()),
            Ok(number) => number,
            Err(_) => {
                let names: Vec<_> = PROTOCOLS.iter().map(|(name, _)| *name).collect();
                return Err(format!("`{protocol}` is no protocol: a number from 1 to 254, or {}", names.join(", ")));
            }
        };
        Ok(Self { protocol, host })
    }
}

impl RawAt {
    /// Where no host says which family is meant.
    pub(crate) fn is_v6_by_itself(&self) -> bool {
        self.protocol == ICMPV6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_begins_with_its_kind_or_is_tcp() {
        assert!(matches!("h:1".parse(), Ok(ConnectTo::Tcp(_))));
        assert!(matches!("udp:h:1".parse(), Ok(ConnectTo::Udp(_))));
        assert!(matches!("udp:[::1]:1".parse(), Ok(ConnectTo::Udp(_))));
        assert!(matches!("unix:/x:y".parse(), Ok(ConnectTo::Unix(UnixPath(path))) if path == "/x:y"));
        assert!(matches!("unixgram:@x".parse(), Ok(ConnectTo::Unixgram(_))));
        assert!(matches!("[::]:0".parse(), Ok(ListenAt::Tcp(_))));
        assert!(matches!("raw:icmp".parse(), Ok(ListenAt::Raw(RawAt { protocol: 1, host: None }))));
        assert!(matches!("raw:58@::1".parse(), Ok(ListenAt::Raw(RawAt { protocol: 58, host: Some(_) }))));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_could() {
        let says = |text: &str, says: &str| {
            let error = text.parse::<ListenAt>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        };
        says("unix:/x", "unixgram:PATH");
        says("raw:nosuch", "`nosuch`");
        says("raw:0", "protocol 0");
        says("raw:255", "only sends");
        says("raw:icmp@", "host is missing");
        says("unixgram:", "path");
        says(&format!("unixgram:/{}", "x".repeat(107)), "107");
        says("80", "HOST:PORT");
    }
}
