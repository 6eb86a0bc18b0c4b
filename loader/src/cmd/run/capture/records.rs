//! What a record holds: its link type and its bytes.

use minibpf::packet::LARGEST;
use minibpf::packet::link::LinkType;
use pcap_parser::{Block, LegacyPcapBlock, Linktype};

use super::Next;

pub(super) fn link(Linktype(number): Linktype) -> LinkType {
    // The upper bits say whether frames end with a checksum.
    LinkType(number.cast_unsigned() & 0xffff)
}

pub(super) fn legacy(record: &LegacyPcapBlock<'_>, snaplen: u32, link: Option<LinkType>) -> Next {
    if record.caplen > snaplen {
        return Next::Lost(too_long(record.caplen, snaplen));
    }
    let missing = record.origlen.saturating_sub(record.caplen);
    Next::Record { link, bytes: record.data.to_vec(), missing }
}

pub(super) fn next_generation(block: Block<'_>, links: &mut Vec<LinkType>) -> Next {
    match block {
        // Interfaces are numbered within a section.
        Block::SectionHeader(_) => links.clear(),
        Block::InterfaceDescription(interface) => links.push(link(interface.linktype)),
        Block::EnhancedPacket(packet) => {
            return match packet.data.get(..packet.caplen as usize) {
                Some(data) => Next::Record {
                    link: links.get(packet.if_id as usize).copied(),
                    bytes: data.to_vec(),
                    missing: packet.origlen.saturating_sub(packet.caplen),
                },
                None => Next::Bad(format!("claims {} bytes, but its block has {}", packet.caplen, packet.data.len())),
            };
        }
        Block::SimplePacket(packet) => {
            let length = (packet.origlen as usize).min(packet.data.len());
            let bytes = packet.data.get(..length).unwrap_or_default().to_vec();
            let missing = packet.origlen.saturating_sub(length as u32);
            return Next::Record { link: links.first().copied(), bytes, missing };
        }
        _ => {}
    }
    Next::Other
}

/// A record's bytes as an Ethernet frame.
pub(super) fn frame(link: Option<LinkType>, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let link = link.ok_or("belongs to an interface that the file does not describe")?;
    let frame = link.to_ethernet(bytes)?;
    match frame.len() {
        0..=LARGEST => Ok(frame),
        length => Err(format!("{length} bytes, but no packet has more than {LARGEST}")),
    }
}

pub(super) fn too_long(claimed: u32, most: u32) -> String {
    format!("claims {claimed} bytes, but no record here has more than {most}")
}
