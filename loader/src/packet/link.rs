//! What other links put before a packet, exchanged for an Ethernet header.
//!
//! A test run wants an Ethernet frame. The type of a packet is all of a link's header that such a frame needs; addresses that
//! the other header has not stay zero.
//!
//! Source: <https://www.tcpdump.org/linktypes.html>.

use super::{ETH_HLEN, ETH_P_IP, ETH_P_IPV6, PacketError, be16, framed};

/// A `LINKTYPE_` number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkType(pub u32);

impl LinkType {
    /// Loopback of the BSDs: the address family in four bytes, in the byte order of whoever captured.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// An IP packet and nothing before it.
    pub const RAW: Self = Self(101);
    /// Loopback of OpenBSD: as [`LinkType::NULL`], in network byte order.
    pub const LOOP: Self = Self(108);
    /// Cooked: what `tcpdump -i any` wrote up to version 4.99.
    pub const LINUX_SLL: Self = Self(113);
    /// An IPv4 packet and nothing before it.
    pub const IPV4: Self = Self(228);
    /// An IPv6 packet and nothing before it.
    pub const IPV6: Self = Self(229);
    /// Cooked, with the interface's number.
    pub const LINUX_SLL2: Self = Self(276);

    /// Its name, where it is one of those above.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NULL => "NULL",
            Self::ETHERNET => "ETHERNET",
            // The numbers that BSDs have for DLT_RAW occur in files, too.
            Self::RAW | Self(12 | 14) => "RAW",
            Self::LOOP => "LOOP",
            Self::LINUX_SLL => "LINUX_SLL",
            Self::IPV4 => "IPV4",
            Self::IPV6 => "IPV6",
            Self::LINUX_SLL2 => "LINUX_SLL2",
            _ => return None,
        })
    }

    /// The packet as an Ethernet frame.
    ///
    /// # Errors
    ///
    /// A link type that is not one of those above, a header that is cut off, and a packet that has no EtherType.
    pub fn to_ethernet(self, bytes: &[u8]) -> Result<Vec<u8>, PacketError> {
        self.framed(bytes).map_err(PacketError)
    }

    fn framed(self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let name = self.name().ok_or_else(|| {
            format!("link type {}: only ETHERNET, RAW, IPV4, IPV6, NULL, LOOP, LINUX_SLL and LINUX_SLL2 can be given an Ethernet header", self.0)
        })?;
        let short = || format!("{} bytes are no whole header of link type {name}", bytes.len());
        match self {
            Self::ETHERNET => Ok(bytes.to_vec()),
            Self::IPV4 => Ok(framed(ETH_P_IP, bytes)),
            Self::IPV6 => Ok(framed(ETH_P_IPV6, bytes)),
            Self::NULL | Self::LOOP => {
                let (family, packet) = bytes.split_first_chunk().ok_or_else(short)?;
                Ok(framed(of_family(*family)?, packet))
            }
            Self::LINUX_SLL => {
                cooked(bytes, &Cooked { len: 16, ethertype: 14, address_len: 5, address: 6 }).ok_or_else(short)?
            }
            Self::LINUX_SLL2 => {
                cooked(bytes, &Cooked { len: 20, ethertype: 0, address_len: 11, address: 12 }).ok_or_else(short)?
            }
            _ => Ok(framed(of_version(bytes)?, bytes)),
        }
    }
}

/// `AF_INET`, and `AF_INET6` of Linux, NetBSD and OpenBSD, FreeBSD, macOS; in either byte order, which nothing tells.
fn of_family(family: [u8; 4]) -> Result<u16, String> {
    let number = u32::from_le_bytes(family).min(u32::from_be_bytes(family));
    match number {
        2 => Ok(ETH_P_IP),
        10 | 24 | 28 | 30 => Ok(ETH_P_IPV6),
        _ => Err(format!("address family {number} is neither IPv4 nor IPv6")),
    }
}

fn of_version(packet: &[u8]) -> Result<u16, String> {
    match packet.first().map(|byte| byte >> 4) {
        Some(4) => Ok(ETH_P_IP),
        Some(6) => Ok(ETH_P_IPV6),
        Some(version) => Err(format!("IP version {version} is neither 4 nor 6")),
        None => Err("no bytes at all".to_owned()),
    }
}

/// Where the parts of a cooked header are.
struct Cooked {
    len: usize,
    ethertype: usize,
    /// The lower byte of the length of the sender's address.
    address_len: usize,
    address: usize,
}

/// `None`: the header is cut off.
fn cooked(bytes: &[u8], at: &Cooked) -> Option<Result<Vec<u8>, String>> {
    /// Below it is the length of an IEEE 802.3 frame, or a number that Linux made up.
    const ETH_P_802_3_MIN: u16 = 0x600;
    let (header, packet) = bytes.split_at_checked(at.len)?;
    let ethertype = be16(header, at.ethertype)?;
    if ethertype < ETH_P_802_3_MIN {
        return Some(Err(format!("protocol {ethertype:#06x} of the cooked header is no EtherType")));
    }
    let mut frame = framed(ethertype, packet);
    if header.get(at.address_len) == Some(&6) {
        let (source, address) = (frame.get_mut(6..ETH_HLEN - 2)?, header.get(at.address..at.address + 6)?);
        source.copy_from_slice(address);
    }
    Some(Ok(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: [u8; 3] = [0x45, 1, 2];
    const V6: [u8; 3] = [0x60, 1, 2];

    fn bare(ethertype: u16, packet: &[u8]) -> Vec<u8> {
        [&[0; 12][..], &ethertype.to_be_bytes(), packet].concat()
    }

    #[test]
    fn bare_ip_packets_get_the_ethertype_of_their_version() {
        for raw in [101, 12, 14] {
            assert_eq!(LinkType(raw).to_ethernet(&V4), Ok(bare(0x0800, &V4)));
            assert_eq!(LinkType(raw).to_ethernet(&V6), Ok(bare(0x86dd, &V6)));
        }
        assert_eq!(LinkType::IPV4.to_ethernet(&V4), Ok(bare(0x0800, &V4)));
        assert_eq!(LinkType::IPV6.to_ethernet(&V6), Ok(bare(0x86dd, &V6)));
        assert!(LinkType::RAW.to_ethernet(&[0x50]).unwrap_err().to_string().contains("version 5"));
        assert!(LinkType::RAW.to_ethernet(&[]).is_err());
    }

    #[test]
    fn a_loopback_family_is_read_in_either_byte_order() {
        for header in [[2, 0, 0, 0], [0, 0, 0, 2]] {
            for link in [LinkType::NULL, LinkType::LOOP] {
                assert_eq!(link.to_ethernet(&[&header[..], &V4].concat()), Ok(bare(0x0800, &V4)));
            }
        }
        for family in [10, 24, 28, 30] {
            assert_eq!(LinkType::NULL.to_ethernet(&[&[family, 0, 0, 0][..], &V6].concat()), Ok(bare(0x86dd, &V6)));
        }
        assert!(LinkType::NULL.to_ethernet(&[7, 0, 0, 0]).unwrap_err().to_string().contains("family 7"));
        assert!(LinkType::NULL.to_ethernet(&[2, 0, 0]).unwrap_err().to_string().contains("no whole header"));
    }

    #[test]
    fn cooked_headers_give_their_type_and_the_senders_address() {
        let mac = [2, 0, 0, 0, 0, 9];
        let expected = [&[0; 6][..], &mac, &[0x08, 0x00], &V4].concat();
        let sll = [&[0, 0, 0, 1, 0, 6][..], &mac, &[0, 0, 0x08, 0x00], &V4].concat();
        assert_eq!(LinkType::LINUX_SLL.to_ethernet(&sll), Ok(expected.clone()));
        let sll2 = [&[0x08, 0x00, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6][..], &mac, &[0, 0], &V4].concat();
        assert_eq!(LinkType::LINUX_SLL2.to_ethernet(&sll2), Ok(expected));
        for (link, whole) in [(LinkType::LINUX_SLL, &sll), (LinkType::LINUX_SLL2, &sll2)] {
            let header = whole.len() - V4.len();
            for end in 0..header {
                assert!(link.to_ethernet(&whole[..end]).unwrap_err().to_string().contains("no whole header"), "{end}");
            }
        }
        let llc = [&[0; 14][..], &[0, 4], &V4].concat();
        assert!(LinkType::LINUX_SLL.to_ethernet(&llc).unwrap_err().to_string().contains("no EtherType"));
    }

    #[test]
    fn a_link_type_without_ethertypes_is_refused_by_its_number() {
        assert!(LinkType(105).to_ethernet(&V4).unwrap_err().to_string().contains("link type 105"));
    }
}
