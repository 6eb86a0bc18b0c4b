//! Packets as bytes: made by name, read from hex, given an Ethernet header, taken apart, told in a line. Pure.
//!
//! Everywhere here a packet is an Ethernet frame without its checksum, as `BPF_PROG_TEST_RUN` takes it and `AF_PACKET` gives it.

#[cfg(feature = "pcap")]
pub mod capture;
pub mod headers;
pub mod hex;
pub mod link;
pub mod make;
pub mod origin;

use thiserror::Error;

/// Why something is no packet: what was found, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PacketError(String);

/// Bytes of an Ethernet header.
pub const ETH_HLEN: usize = 14;
/// The largest frame that is taken: an Ethernet header, and as much as an IPv4 packet can be.
pub const LARGEST: usize = ETH_HLEN + 65_535;

/// EtherType of IPv4.
pub const ETH_P_IP: u16 = 0x0800;
/// EtherType of IPv6.
pub const ETH_P_IPV6: u16 = 0x86dd;

/// A big-endian number of two bytes; `None` beyond the end.
fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A frame without addresses: what the loopback interface has.
fn framed(ethertype: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; ETH_HLEN - 2];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(packet);
    frame
}
