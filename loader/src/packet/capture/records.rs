//! What a record holds: its link type and its bytes.

use pcap_parser::{Block, InterfaceDescriptionBlock, LegacyPcapBlock, Linktype, PcapNGOption};

use super::Next;
use crate::packet::LARGEST;
use crate::packet::link::LinkType;

/// The type of pcapng's Packet Block, which Enhanced Packet Blocks have taken the place of.
const OBSOLETE_PACKET: u32 = 2;
/// Of an Interface Description Block: the octets of the checksum that frames end with.
const IF_FCSLEN: u16 = 13;
/// Of an Enhanced Packet Block: what is special about the packet.
const EPB_FLAGS: u16 = 2;

/// Where packets were captured: of pcap the file as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interface {
    link: LinkType,
    /// Bytes of a packet that are captured at the most; 0: all.
    snaplen: u32,
    /// Bytes of the frame check sequence that packets end with.
    checksum: u32,
}

/// What a section of pcapng, or a pcap file, says before its packets.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) interfaces: Vec<Interface>,
    pub(super) is_big_endian: bool,
}

impl Interface {
    /// Of the last field of pcap's header, which has the link type in its lower half.
    pub(super) fn of_legacy(Linktype(field): Linktype) -> Self {
        /// `LT_FCS_LENGTH_PRESENT`: the upper four bits are a length.
        const HAS_LENGTH: u32 = 1 << 26;
        /// Bytes of Ethernet's. No link that is read here has a longer one.
        const LONGEST: u32 = 4;
        let field = field.cast_unsigned();
        // LT_FCS_LENGTH counts in two bytes, as pcap-savefile(5) says; 4 was written by those that counted in bytes.
        let checksum = if field & HAS_LENGTH == 0 { 0 } else { ((field >> 28) * 2).min(LONGEST) };
        Self { link: LinkType(field & 0xffff), snaplen: 0, checksum }
    }

    fn of(block: &InterfaceDescriptionBlock<'_>) -> Self {
        let length = option(&block.options, IF_FCSLEN).and_then(|value| value.first().copied());
        let checksum = match length.unwrap_or(0) {
            // It used to be specified in bits.
            bits @ (16 | 32) => u32::from(bits) / 8,
            octets => u32::from(octets),
        };
        Self { link: LinkType(block.linktype.0.cast_unsigned() & 0xffff), snaplen: block.snaplen, checksum }
    }
}

/// The value of an option, if the block has it.
fn option<'a>(options: &'a [PcapNGOption<'_>], code: u16) -> Option<&'a [u8]> {
    options.iter().find(|option| option.code.0 == code)?.value.get(..)
}

/// A packet of `length` bytes of which these were captured, without its checksum.
fn record(interface: Option<&Interface>, bytes: &[u8], length: u32, checksum: Option<u32>) -> Next {
    let checksum = checksum.or(interface.map(|interface| interface.checksum)).unwrap_or(0);
    let missing = length.saturating_sub(bytes.len() as u32);
    // What is cut off is the checksum first.
    let rest = bytes.len().saturating_sub(checksum.saturating_sub(missing) as usize);
    Next::Record {
        link: interface.map(|interface| interface.link),
        bytes: bytes.get(..rest).unwrap_or_default().to_vec(),
        missing: missing.saturating_sub(checksum),
    }
}

pub(super) fn legacy(packet: &LegacyPcapBlock<'_>, snaplen: u32, section: &Section) -> Next {
    if packet.caplen > snaplen {
        return Next::Lost(too_long(packet.caplen, snaplen));
    }
    record(section.interfaces.first(), packet.data, packet.origlen, None)
}

pub(super) fn next_generation(block: Block<'_>, section: &mut Section) -> Next {
    match block {
        // Interfaces are numbered within a section.
        Block::SectionHeader(header) => {
            *section = Section { interfaces: Vec::new(), is_big_endian: header.big_endian() };
        }
        Block::InterfaceDescription(interface) => section.interfaces.push(Interface::of(&interface)),
        Block::EnhancedPacket(packet) => {
            let flags = option(&packet.options, EPB_FLAGS).and_then(|value| section.u32(value, 0));
            // Bits 5 to 8: the octets of the checksum, 0 where that is not known.
            let checksum = flags.map(|flags| flags >> 5 & 0xf).filter(|checksum| *checksum != 0);
            let interface = section.interfaces.get(packet.if_id as usize);
            return captured(interface, packet.data, packet.caplen, packet.origlen, checksum);
        }
        Block::SimplePacket(packet) => {
            let interface = section.interfaces.first();
            // The block does not say how much was captured, and what pads it is no part of the packet.
            let snaplen = interface.map_or(0, |interface| interface.snaplen);
            let caplen = if snaplen == 0 { packet.origlen } else { packet.origlen.min(snaplen) };
            return captured(interface, packet.data, caplen, packet.origlen, None);
        }
        Block::Unknown(block) if section.is(block.block_type, OBSOLETE_PACKET) => {
            return obsolete(block.data, section)
                .unwrap_or_else(|| Next::Bad("a Packet Block that ends within its header".to_owned()));
        }
        _ => {}
    }
    Next::Other
}

/// A Packet Block: interface, drops, time, bytes captured, bytes there were, packet, options.
fn obsolete(data: &[u8], section: &Section) -> Option<Next> {
    let number = data.first_chunk::<2>()?;
    let number = if section.is_big_endian { u16::from_be_bytes(*number) } else { u16::from_le_bytes(*number) };
    let (caplen, origlen) = (section.u32(data, 12)?, section.u32(data, 16)?);
    let interface = section.interfaces.get(usize::from(number));
    Some(captured(interface, data.get(20..)?, caplen, origlen, None))
}

/// The packet that `data` begins with.
fn captured(interface: Option<&Interface>, data: &[u8], caplen: u32, origlen: u32, checksum: Option<u32>) -> Next {
    match data.get(..caplen as usize) {
        Some(bytes) => record(interface, bytes, origlen, checksum),
        None => Next::Bad(format!("claims {caplen} bytes, but its block has {}", data.len())),
    }
}

impl Section {
    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// Whether a block has this type, which the crate gives as if it were little-endian.
    fn is(&self, block: u32, kind: u32) -> bool {
        block == if self.is_big_endian { kind.swap_bytes() } else { kind }
    }
}

/// A record's bytes as an Ethernet frame.
pub(super) fn frame(link: Option<LinkType>, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let link = link.ok_or("belongs to an interface that the file does not describe")?;
    let frame = link.to_ethernet(bytes).map_err(|error| error.to_string())?;
    match frame.len() {
        0..=LARGEST => Ok(frame),
        length => Err(format!("{length} bytes, but no packet has more than {LARGEST}")),
    }
}

pub(super) fn too_long(claimed: u32, most: u32) -> String {
    format!("claims {claimed} bytes, but no record here has more than {most}")
}
