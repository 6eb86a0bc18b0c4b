//! A frame taken apart: Ethernet, VLAN tags, IPv4 and IPv6, TCP, UDP and ICMP. What is cut off is left out, never guessed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use super::{ETH_P_IP, ETH_P_IPV6, be16};

/// VLAN tags that are stepped over, and extension headers of IPv6.
const MOST: usize = 8;

/// `IPPROTO_ICMP`, _TCP, _UDP and _ICMPV6.
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// What a frame says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers<'a> {
    frame: &'a [u8],
    /// What follows the Ethernet header and its VLAN tags.
    pub ethertype: u16,
    /// Where that begins; bytes.
    pub network: usize,
    /// The IP header, if there is a whole one.
    pub ip: Option<Ip>,
}

/// An IP header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ip {
    /// The sender.
    pub source: IpAddr,
    /// The receiver.
    pub destination: IpAddr,
    /// IPPROTO_*, past the extension headers of IPv6.
    pub protocol: u8,
    /// From the header after IP's to the packet's end; what is beyond that end pads the frame.
    pub content: Range<usize>,
    /// Bytes of the packet before the content of this fragment: not 0 where it has no transport header.
    pub fragment_offset: usize,
}

/// The ports and the payload of TCP or UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// Whether it is TCP; else it is UDP.
    pub is_tcp: bool,
    /// Address and port of the sender.
    pub source: SocketAddr,
    /// Those of the receiver.
    pub destination: SocketAddr,
    /// The byte of TCP's flags; 0 of UDP.
    pub flags: u8,
    /// Where the payload is in the frame.
    pub payload: Range<usize>,
}

impl<'a> Headers<'a> {
    /// Takes a frame apart; `None` if it is shorter than an Ethernet header.
    pub fn of(frame: &'a [u8]) -> Option<Self> {
        let mut at = 12;
        let mut ethertype = be16(frame, at)?;
        for _ in 0..MOST {
            // A tag takes four bytes: its own type, the VLAN, and the type of what follows.
            if !matches!(ethertype, 0x8100 | 0x88a8 | 0x9100) {
                break;
            }
            let Some(next) = be16(frame, at + 4) else { break };
            (at, ethertype) = (at + 4, next);
        }
        let network = at + 2;
        let ip = match ethertype {
            ETH_P_IP => ipv4(frame, network),
            ETH_P_IPV6 => ipv6(frame, network),
            _ => None,
        };
        Some(Self { frame, ethertype, network, ip })
    }

    /// TCP's or UDP's header, if there is a whole one.
    pub fn transport(&self) -> Option<Transport> {
        let ip = self.ip.as_ref().filter(|ip| ip.fragment_offset == 0)?;
        let bytes = self.frame.get(ip.content.clone())?;
        let (is_tcp, header) = match ip.protocol {
            TCP => (true, usize::from(bytes.get(12)? >> 4) * 4),
            UDP => (false, 8),
            _ => return None,
        };
        if header < if is_tcp { 20 } else { 8 } || header > bytes.len() {
            return None;
        }
        let flags = if is_tcp { *bytes.get(13)? } else { 0 };
        let source = SocketAddr::new(ip.source, be16(bytes, 0)?);
        let destination = SocketAddr::new(ip.destination, be16(bytes, 2)?);
        Some(Transport { is_tcp, source, destination, flags, payload: ip.content.start + header..ip.content.end })
    }
}

/// The end of a packet that begins at `start` and says that it has `len` bytes: no further than the frame.
fn end(frame: &[u8], start: usize, len: usize) -> usize {
    start.saturating_add(len).min(frame.len())
}

fn ipv4(frame: &[u8], at: usize) -> Option<Ip> {
    let header: &[u8; 20] = frame.get(at..)?.first_chunk()?;
    let length = usize::from(header[0] & 0xf) * 4;
    // 0: written while the network card was to fill it in (TSO).
    let total = Some(usize::from(be16(header, 2)?)).filter(|total| *total != 0).unwrap_or(frame.len());
    let content = at + length..end(frame, at, total);
    if header[0] >> 4 != 4 || length < 20 || content.start > content.end {
        return None;
    }
    Some(Ip {
        source: IpAddr::from(*header.get(12..)?.first_chunk::<4>()?),
        destination: IpAddr::from(*header.get(16..)?.first_chunk::<4>()?),
        protocol: header[9],
        content,
        fragment_offset: usize::from(be16(header, 6)? & 0x1fff) * 8,
    })
}

fn ipv6(frame: &[u8], at: usize) -> Option<Ip> {
    let header: &[u8; 40] = frame.get(at..)?.first_chunk()?;
    if header[0] >> 4 != 6 {
        return None;
    }
    // 0: a jumbogram, or written while the network card was to fill it in.
    let length = Some(usize::from(be16(header, 4)?)).filter(|length| *length != 0).unwrap_or(frame.len());
    let end = end(frame, at + 40, length);
    let (mut protocol, mut start, mut fragment_offset) = (header[6], at + 40, 0);
    for _ in 0..MOST {
        // Hop-by-hop, routing, destination options; fragment; authentication.
        let Some(&[next, len, ..]) = frame.get(start..end).and_then(|rest| rest.first_chunk::<8>()) else { break };
        let length = match protocol {
            0 | 43 | 60 => (usize::from(len) + 1) * 8,
            44 => 8,
            51 => (usize::from(len) + 2) * 4,
            _ => break,
        };
        if protocol == 44 {
            fragment_offset = usize::from(be16(frame, start + 2)? & 0xfff8);
        }
        if fragment_offset != 0 {
            (protocol, start) = (next, start + length);
            break;
        }
        (protocol, start) = (next, start + length);
    }
    let address = |at: usize| Some(IpAddr::from(Ipv6Addr::from(*header.get(at..)?.first_chunk::<16>()?)));
    let (source, destination) = (address(8)?, address(24)?);
    Some(Ip { source, destination, protocol, content: start.min(end)..end, fragment_offset })
}

/// One line: `tcp 127.0.0.1:49152 > 127.0.0.1:80, PSH ACK, 5 bytes`.
impl fmt::Display for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.frame.len().saturating_sub(self.network);
        let Some(ip) = &self.ip else {
            return match self.ethertype {
                0x0806 => self.arp(f),
                ETH_P_IP => write!(f, "IPv4 with a broken header, {rest} bytes"),
                ETH_P_IPV6 => write!(f, "IPv6 with a broken header, {rest} bytes"),
                length @ ..0x600 => write!(f, "IEEE 802.3 of length {length}"),
                other => write!(f, "EtherType {other:#06x}, {rest} bytes"),
            };
        };
        let bytes = ip.content.len();
        if let Some(Transport { is_tcp, source, destination, flags, payload }) = self.transport() {
            let name = if is_tcp { "tcp" } else { "udp" };
            write!(f, "{name} {source} > {destination}")?;
            if is_tcp {
                write!(f, ", {}", TcpFlags(flags))?;
            }
            return write!(f, ", {} bytes", payload.len());
        }
        let Ip { source, destination, .. } = ip;
        match (ip.protocol, ip.fragment_offset) {
            (_, offset @ 1..) => write!(f, "ip {source} > {destination}, fragment at {offset}, {bytes} bytes"),
            (ICMP | ICMPV6, _) => {
                let name = if ip.protocol == ICMP { "icmp" } else { "icmp6" };
                write!(f, "{name} {source} > {destination}")?;
                match self.frame.get(ip.content.clone()).and_then(|content| content.first()) {
                    Some(0 | 129) => f.write_str(", echo reply")?,
                    Some(8 | 128) => f.write_str(", echo request")?,
                    Some(number) => write!(f, ", type {number}")?,
                    None => {}
                }
                write!(f, ", {bytes} bytes")
            }
            (TCP, _) => write!(f, "tcp {source} > {destination}, cut off after {bytes} bytes"),
            (UDP, _) => write!(f, "udp {source} > {destination}, cut off after {bytes} bytes"),
            (number, _) => write!(f, "ip {source} > {destination}, protocol {number}, {bytes} bytes"),
        }
    }
}

impl Headers<'_> {
    fn arp(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.frame.get(self.network..).unwrap_or_default();
        let address = |at: usize| Some(Ipv4Addr::from(*body.get(at..)?.first_chunk::<4>()?));
        match (be16(body, 6), address(14), address(24)) {
            (Some(1), Some(who), Some(whom)) => write!(f, "arp request, {who} asks for {whom}"),
            (Some(2), Some(who), _) => write!(f, "arp reply of {who}"),
            _ => write!(f, "arp, {} bytes", body.len()),
        }
    }
}

struct TcpFlags(u8);

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
        let set: Vec<_> =
            names.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| *name).collect();
        f.write_str(if set.is_empty() { "no flags" } else { "" })?;
        f.write_str(&set.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::framed;
    use crate::packet::make::make;

    fn told(frame: &[u8]) -> String {
        Headers::of(frame).unwrap().to_string()
    }

    #[test]
    fn a_packet_is_told_in_a_line() {
        for (name, line) in [
            ("tcp:80:GET /", "tcp 127.0.0.1:49152 > 127.0.0.1:80, PSH ACK, 5 bytes"),
            ("tcp6:80", "tcp [::1]:49152 > [::1]:80, SYN, 0 bytes"),
            ("udp:53:ab", "udp 127.0.0.1:49152 > 127.0.0.1:53, 2 bytes"),
            ("icmp", "icmp 127.0.0.1 > 127.0.0.1, echo request, 8 bytes"),
            ("icmp6:abc", "icmp6 ::1 > ::1, echo request, 11 bytes"),
        ] {
            assert_eq!(told(&make(name).unwrap()), line);
        }
        assert_eq!(told(&framed(0x88cc, &[1, 2])), "EtherType 0x88cc, 2 bytes");
        let arp = [&[0, 1, 8, 0, 6, 4, 0, 1][..], &[0; 6], &[10, 0, 0, 1], &[0; 6], &[10, 0, 0, 2]].concat();
        assert_eq!(told(&framed(0x0806, &arp)), "arp request, 10.0.0.1 asks for 10.0.0.2");
    }

    #[test]
    fn vlan_tags_and_extension_headers_are_stepped_over() {
        let mut tagged = make("udp:53:x").unwrap();
        tagged.splice(12..12, [0x81, 0x00, 0x00, 0x05]);
        assert_eq!(told(&tagged), "udp 127.0.0.1:49152 > 127.0.0.1:53, 1 bytes");

        let mut extended = make("udp6:53:x").unwrap();
        extended[14 + 6] = 60; // destination options follow, of eight bytes
        extended[14 + 5] += 8;
        extended.splice(54..54, [UDP, 0, 1, 4, 0, 0, 0, 0]);
        assert_eq!(told(&extended), "udp [::1]:49152 > [::1]:53, 1 bytes");
    }

    #[test]
    fn what_pads_a_frame_is_no_payload() {
        let mut frame = make("udp:53:abc").unwrap();
        frame.resize(60, 0);
        let payload = Headers::of(&frame).unwrap().transport().unwrap().payload;
        assert_eq!(&frame[payload], b"abc");
    }

    #[test]
    fn a_later_fragment_has_no_ports() {
        let mut frame = make("udp:53:abc").unwrap();
        frame[14 + 7] = 2;
        assert_eq!(Headers::of(&frame).unwrap().transport(), None);
        assert!(told(&frame).contains("fragment at 16"), "{}", told(&frame));
    }

    #[test]
    fn a_frame_that_is_cut_anywhere_or_changed_anywhere_is_told_without_a_panic() {
        for name in ["tcp:80:GET /", "tcp6:80:x", "udp:53:ab", "icmp6"] {
            let frame = make(name).unwrap();
            for end in 0..frame.len() {
                let told = Headers::of(&frame[..end]).map(|headers| (headers.to_string(), headers.transport()));
                assert_eq!(told.is_some(), end >= 14, "{name} cut to {end}");
            }
            for at in 0..frame.len() {
                for value in 0..=255 {
                    let mut changed = frame.clone();
                    changed[at] = value;
                    let headers = Headers::of(&changed).unwrap();
                    let _ = headers.to_string();
                    if let Some(transport) = headers.transport() {
                        assert!(changed.get(transport.payload).is_some(), "{name}: byte {at} = {value}");
                    }
                }
            }
        }
    }
}
