//! The system calls that open a socket, as strace writes them.

use std::net::SocketAddr;

use minibpf::explain::{Call, Fd, Field};
use minibpf::sys::socket::{AF_INET, AF_INET6, Kind};
use nix::sys::socket::UnixAddr;

fn constant(text: impl Into<String>) -> Field {
    Field::Constant(text.into())
}

pub(crate) fn plain(syscall: &'static str, fields: Vec<(&'static str, Field)>, why: impl Into<String>) -> Call {
    Call { syscall, command: None, fields, size: None, why: why.into() }
}

pub(super) fn socket(kind: Kind, why: &str) -> Call {
    let protocol = match (kind.family, kind.protocol) {
        (AF_INET | AF_INET6, number) => protocol(number),
        (_, number) => number.to_string(),
    };
    let fields = vec![
        ("domain", constant(kind.family.1)),
        ("type", constant(format!("{}|SOCK_CLOEXEC|SOCK_NONBLOCK", kind.kind.1))),
        ("protocol", constant(protocol)),
    ];
    plain("socket", fields, why)
}

fn protocol(number: i32) -> String {
    match number {
        1 => "IPPROTO_ICMP".to_owned(),
        2 => "IPPROTO_IGMP".to_owned(),
        6 => "IPPROTO_TCP".to_owned(),
        17 => "IPPROTO_UDP".to_owned(),
        47 => "IPPROTO_GRE".to_owned(),
        50 => "IPPROTO_ESP".to_owned(),
        58 => "IPPROTO_ICMPV6".to_owned(),
        132 => "IPPROTO_SCTP".to_owned(),
        other => format!("{other:#x}"),
    }
}

/// An address, and its bytes.
pub(super) struct Address(String, u64);

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self(
                format!("{{sa_family=AF_INET, sin_port=htons({}), sin_addr=inet_addr(\"{}\")}}", v4.port(), v4.ip()),
                16,
            ),
            SocketAddr::V6(v6) => Self(
                format!("{{sa_family=AF_INET6, sin6_port=htons({}), inet_pton(AF_INET6, \"{}\")}}", v6.port(), v6.ip()),
                28,
            ),
        }
    }
}

impl From<&UnixAddr> for Address {
    fn from(address: &UnixAddr) -> Self {
        use nix::sys::socket::SockaddrLike;
        let path = match (address.path(), address.as_abstract()) {
            (Some(path), _) => format!(", sun_path=\"{}\"", path.display()),
            (None, Some(name)) => format!(", sun_path=@\"{}\"", name.escape_ascii()),
            (None, None) => String::new(),
        };
        Self(format!("{{sa_family=AF_UNIX{path}}}"), address.len().into())
    }
}

impl Address {
    /// `struct sockaddr_ll`.
    pub(super) fn interface(name: &str) -> Self {
        let text = format!(
            "{{sa_family=AF_PACKET, sll_protocol=htons(ETH_P_ALL), sll_ifindex=if_nametoindex(\"{name}\"), sll_hatype=ARPHRD_NETROM, sll_pkttype=PACKET_HOST, sll_halen=0}}"
        );
        Self(text, 20)
    }
}

fn with_address(syscall: &'static str, socket: Fd, address: Address, why: &str) -> Call {
    let Address(text, len) = address;
    let fields = vec![("fd", Field::Fd(socket)), ("addr", constant(text)), ("addrlen", Field::Number(len))];
    plain(syscall, fields, why)
}

pub(super) fn connect(socket: Fd, address: impl Into<Address>, why: &str) -> Call {
    with_address("connect", socket, address.into(), why)
}

pub(super) fn bind(socket: Fd, address: impl Into<Address>, why: &str) -> Call {
    with_address("bind", socket, address.into(), why)
}

pub(super) fn listen(socket: Fd, backlog: u64) -> Call {
    let fields = vec![("fd", Field::Fd(socket)), ("backlog", Field::Number(backlog))];
    plain("listen", fields, "what it accepts inherits the filter")
}

pub(super) fn set_option(socket: Fd, option: &'static str, why: &str) -> Call {
    let fields = vec![
        ("fd", Field::Fd(socket)),
        ("level", constant("SOL_SOCKET")),
        ("optname", constant(option)),
        ("optval", constant("[1]")),
        ("optlen", Field::Number(4)),
    ];
    plain("setsockopt", fields, why)
}
