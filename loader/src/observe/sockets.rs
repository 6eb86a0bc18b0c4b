//! Whose sockets there are: the descriptors of a process, and what the kernel's tables say of each.
//!
//! `/proc/PID/fd` says which descriptors are sockets, by the number of an inode (`socket:[4026]`). The tables under
//! `/proc/PID/net`, those of the process's network namespace, say what the socket of that number is.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::stat::{SFlag, fstat};

/// What the tables say of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `tcp`, `udp`, `raw`, `unix`, `packet`, `netlink`.
    pub kind: &'static str,
    /// Its own Internet address.
    pub address: Option<SocketAddr>,
    /// Its peer's.
    pub peer: Option<SocketAddr>,
    /// Whether it waits for connections (TCP).
    pub is_listening: bool,
    /// Where it is, for people: an address, a path, a protocol.
    pub place: String,
}

/// The sockets of one network namespace, by inode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables(HashMap<u64, Listed>);

/// The sockets of a process: descriptor and inode, in order.
///
/// # Errors
///
/// `NotFound`: there is no such process; `PermissionDenied`: it is another user's (`PTRACE_MODE_READ`).
pub fn descriptors(pid: i32) -> io::Result<Vec<(i32, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let inode = match std::fs::read_link(entry.path()) {
            Ok(link) => link.to_str().and_then(inode_of),
            // Who may list them (CAP_DAC_READ_SEARCH) may not see what they are.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            // It may be closed while they are listed.
            Err(_) => None,
        };
        found.extend(number.zip(inode));
    }
    found.sort_unstable();
    Ok(found)
}

/// The number of the socket that a descriptor of our own is; `None` if it is no socket.
///
/// # Errors
///
/// As fstat(2).
pub fn own_inode(fd: impl AsFd) -> Result<Option<u64>, Errno> {
    let found = fstat(fd)?;
    Ok((SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFSOCK).then_some(found.st_ino))
}

/// `socket:[4026]`.
fn inode_of(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

impl Tables {
    /// The tables that a process sees; one that this kernel does not have is empty.
    pub fn of(pid: i32) -> Self {
        let mut all = Self::default();
        for name in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "packet", "netlink"] {
            let text = std::fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
            all.0.extend(text.lines().skip(1).filter_map(|line| row(name, line)));
        }
        all
    }

    /// The socket of an inode.
    pub fn get(&self, inode: u64) -> Option<&Listed> {
        self.0.get(&inode)
    }
}

/// One line of a table.
fn row(table: &str, line: &str) -> Option<(u64, Listed)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let word = |at: usize| words.get(at).copied();
    let plain = |kind, place: String| Listed { kind, address: None, peer: None, is_listening: false, place };
    let (inode, listed) = match table {
        "unix" => (6, plain("unix", word(7).unwrap_or_default().to_owned())),
        "packet" => (8, plain("packet", format!("interface {}, protocol 0x{}", word(4)?, word(3)?))),
        "netlink" => (9, plain("netlink", format!("protocol {}", word(1)?))),
        internet => (9, inet(internet, word(1)?, word(2)?, word(3)?)?),
    };
    Some((word(inode)?.parse().ok()?, listed))
}

/// A line of an Internet table: own address, peer's, state.
fn inet(table: &str, own: &str, peer: &str, state: &str) -> Option<Listed> {
    /// `TCP_LISTEN`, `include/net/tcp_states.h`.
    const LISTEN: &str = "0A";
    let address = address(own)?;
    let kind = match table.trim_end_matches('6') {
        "tcp" => "tcp",
        "udp" => "udp",
        _ => "raw",
    };
    // A raw socket has its protocol in place of a port.
    let place =
        if kind == "raw" { format!("{}, protocol {}", address.ip(), address.port()) } else { address.to_string() };
    let peer = self::address(peer).filter(|peer| peer.port() != 0);
    Some(Listed { kind, address: Some(address), peer, is_listening: kind == "tcp" && state == LISTEN, place })
}

/// `0100007F:1F90`: the address in words of the machine's own byte order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok();
    let ip = if ip.len() == 8 {
        IpAddr::V4(Ipv4Addr::from(word(0)?.to_ne_bytes()))
    } else {
        let words = [word(0)?, word(1)?, word(2)?, word(3)?].map(u32::to_ne_bytes);
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(words.as_flattened()).for_each(|(to, from)| *to = *from);
        IpAddr::V6(Ipv6Addr::from(bytes))
    };
    Some(SocketAddr::new(ip.to_canonical(), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_words_of_the_machines_byte_order() {
        let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        let v4 = format!("{}:1F90", word([127, 0, 0, 1]));
        assert_eq!(address(&v4), "127.0.0.1:8080".parse().ok());
        let v6 = format!("{}{}{}{}:0050", word([0; 4]), word([0; 4]), word([0; 4]), word([0, 0, 0, 1]));
        assert_eq!(address(&v6), "[::1]:80".parse().ok());
        for wrong in ["", "7F", "0100007F", "0100007G:1F90", "0100007F:1F9000"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_line_that_is_cut_short_is_left_out() {
        let line = "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4026 1";
        let (inode, listed) = row("tcp", line).unwrap();
        assert_eq!((inode, listed.kind, listed.is_listening, listed.peer), (4026, "tcp", true, None));
        for end in 0..line.find("4026").unwrap() {
            assert_eq!(row("tcp", &line[..end]), None);
        }
    }
}
