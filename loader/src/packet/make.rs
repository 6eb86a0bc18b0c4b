//! Packets made by name: `tcp:80:GET /`, `udp6:53:…`, `icmp`. A learner needs no capture.
//!
//! They look as packets of the loopback interface do: from 127.0.0.1 or `::1` to the same, Ethernet addresses all zero. Checksums
//! are right.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{ETH_P_IP, ETH_P_IPV6, PacketError, framed};

/// The port that made packets come from.
pub const SOURCE_PORT: u16 = 49_152;

const SYN: u8 = 0x02;
const PSH_ACK: u8 = 0x18;

/// A header and what it carries; how the checksum is to be made.
struct Transport {
    protocol: u8,
    bytes: Vec<u8>,
    /// Where the checksum goes.
    checksum: usize,
    /// Whether it covers the addresses, too. ICMP for IPv4 alone does without.
    covers_addresses: bool,
}

/// Makes a frame: `tcp:PORT[:PAYLOAD]`, `udp:PORT[:PAYLOAD]`, `icmp[:PAYLOAD]`, and with `tcp6`, `udp6`, `icmp6` the same over
/// IPv6. `\r`, `\n`, `\t`, `\0`, `\\` and `\xNN` stand for bytes of the payload. TCP without a payload is a SYN; ICMP is an echo
/// request.
///
/// # Errors
///
/// The name's start, what was found, and what was expected.
pub fn make(name: &str) -> Result<Vec<u8>, PacketError> {
    parse(name).map_err(|problem| PacketError(format!("`{}`: {problem}", start_of(name))))
}

/// As much of a name as is fit to be printed.
fn start_of(name: &str) -> String {
    const SHOWN: usize = 40;
    let start: String = name.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if name.chars().nth(SHOWN).is_some() { format!("{start}…") } else { start }
}

fn parse(name: &str) -> Result<Vec<u8>, String> {
    let (kind, rest) = name.split_once(':').map_or((name, None), |(kind, rest)| (kind, Some(rest)));
    let is_v6 = kind.ends_with('6');
    let transport = match kind.trim_end_matches('6') {
        _ if kind.ends_with("66") => return Err(UNKNOWN.to_owned()),
        "tcp" => {
            let (port, payload) = port_and_payload(kind, rest)?;
            tcp(port, &fitting(payload, is_v6, 20)?)
        }
        "udp" => {
            let (port, payload) = port_and_payload(kind, rest)?;
            udp(port, &fitting(payload, is_v6, 8)?)?
        }
        "icmp" => icmp(is_v6, &fitting(unescape(rest.unwrap_or_default())?, is_v6, 8)?),
        _ => return Err(UNKNOWN.to_owned()),
    };
    if is_v6 { ipv6(transport) } else { ipv4(transport) }
}

const UNKNOWN: &str =
    "no packet: expected tcp:PORT:PAYLOAD, udp:PORT:PAYLOAD or icmp, or with tcp6, udp6, icmp6 the same over IPv6";

/// A payload that fits behind its two headers. The whole packet is held to what IPv4 allows, so that no frame is larger than any
/// other may be.
fn fitting(payload: Vec<u8>, is_v6: bool, header: usize) -> Result<Vec<u8>, String> {
    let most = usize::from(u16::MAX) - if is_v6 { 40 } else { 20 } - header;
    match payload.len() {
        length if length > most => Err(format!("a payload of {length} bytes does not fit: at most {most} do")),
        _ => Ok(payload),
    }
}

fn port_and_payload(kind: &str, rest: Option<&str>) -> Result<(u16, Vec<u8>), String> {
    let rest = rest.ok_or_else(|| format!("`{kind}` needs a port: {kind}:80:PAYLOAD"))?;
    let (port, payload) = rest.split_once(':').unwrap_or((rest, ""));
    // Of digits alone: from_str would take a sign, too.
    let number = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten();
    let number = number.ok_or_else(|| format!("`{}` is no port: expected 0 to 65535", start_of(port)))?;
    Ok((number, unescape(payload)?))
}

/// `\r`, `\n` and the like → their bytes.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&letter, after) = rest.split_first().ok_or("a backslash at the end stands for nothing")?;
        rest = after;
        bytes.push(match letter {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let (digits, after) = rest.split_at_checked(2).ok_or("\\x wants two hex digits")?;
                rest = after;
                let digits =
                    std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let number = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                number.ok_or("\\x wants two hex digits")?
            }
            other => {
                return Err(format!(
                    "\\{} is unknown: \\r, \\n, \\t, \\0, \\\\ and \\xNN are not",
                    other.escape_ascii()
                ));
            }
        });
    }
    Ok(bytes)
}

/// `struct tcphdr`: 20 bytes, no options.
fn tcp(port: u16, payload: &[u8]) -> Transport {
    let (flags, acknowledged) = if payload.is_empty() { (SYN, 0u32) } else { (PSH_ACK, 1) };
    let mut bytes = [SOURCE_PORT.to_be_bytes(), port.to_be_bytes()].concat();
    bytes.extend(1u32.to_be_bytes());
    bytes.extend(acknowledged.to_be_bytes());
    bytes.extend([5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(payload);
    Transport { protocol: 6, bytes, checksum: 16, covers_addresses: true }
}

/// `struct udphdr`: 8 bytes.
fn udp(port: u16, payload: &[u8]) -> Result<Transport, String> {
    let length = u16::try_from(8 + payload.len()).map_err(|_| too_long(8 + payload.len()))?;
    let mut bytes = [SOURCE_PORT, port, length, 0].map(u16::to_be_bytes).concat();
    bytes.extend(payload);
    Ok(Transport { protocol: 17, bytes, checksum: 6, covers_addresses: true })
}

/// An echo request: type, code, checksum, an identifier, a number.
fn icmp(is_v6: bool, payload: &[u8]) -> Transport {
    let (protocol, kind) = if is_v6 { (58, 128) } else { (1, 8) };
    let mut bytes = vec![kind, 0, 0, 0, 0, 1, 0, 1];
    bytes.extend(payload);
    Transport { protocol, bytes, checksum: 2, covers_addresses: is_v6 }
}

fn too_long(bytes: usize) -> String {
    format!("{bytes} bytes do not fit: an IP packet has at most 65535")
}

/// `struct iphdr` before it: 20 bytes.
fn ipv4(mut transport: Transport) -> Result<Vec<u8>, String> {
    let length = u16::try_from(20 + transport.bytes.len()).map_err(|_| too_long(transport.bytes.len()))?;
    let address = Ipv4Addr::LOCALHOST.octets();
    let pseudo = [&address[..], &address, &[0, transport.protocol], &(length - 20).to_be_bytes()].concat();
    transport.sum(&pseudo);
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    // No identification, "don't fragment", a time to live of 64.
    packet.extend([0, 0, 0x40, 0, 64, transport.protocol, 0, 0]);
    packet.extend([address, address].concat());
    let sum = checksum(&packet);
    put(&mut packet, 10, sum);
    packet.extend(transport.bytes);
    Ok(framed(ETH_P_IP, &packet))
}

/// `struct ipv6hdr` before it: 40 bytes.
fn ipv6(mut transport: Transport) -> Result<Vec<u8>, String> {
    let length = u16::try_from(transport.bytes.len() + 40).map_err(|_| too_long(transport.bytes.len()))? - 40;
    let address = Ipv6Addr::LOCALHOST.octets();
    let length_bytes = u32::from(length).to_be_bytes();
    let pseudo = [&address[..], &address, &length_bytes, &[0, 0, 0, transport.protocol]].concat();
    transport.sum(&pseudo);
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([transport.protocol, 64]);
    packet.extend([address, address].concat());
    packet.extend(transport.bytes);
    Ok(framed(ETH_P_IPV6, &packet))
}

impl Transport {
    /// Fills the checksum in. UDP's is never 0, which would mean that there is none.
    fn sum(&mut self, pseudo: &[u8]) {
        let covered = if self.covers_addresses { [pseudo, &self.bytes].concat() } else { self.bytes.clone() };
        let sum = match checksum(&covered) {
            0 if self.protocol == 17 => 0xffff,
            sum => sum,
        };
        put(&mut self.bytes, self.checksum, sum);
    }
}

fn put(bytes: &mut [u8], at: usize, number: u16) {
    for (to, from) in bytes.iter_mut().skip(at).zip(number.to_be_bytes()) {
        *to = from;
    }
}

/// The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of all 16-bit words.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
        odd => odd.iter().map(|high| u64::from(*high) << 8).sum(),
    });
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_come_out_as_zero_when_they_are_added_up() {
        for name in ["tcp:80:GET /", "udp:53:abc", "icmp:odd", "icmp"] {
            let frame = make(name).unwrap();
            let (header, rest) = frame[14..].split_at(20);
            assert_eq!(checksum(header), 0, "{name}");
            let pseudo = [&header[12..20], &[0, header[9]], &(rest.len() as u16).to_be_bytes()].concat();
            let covered = if header[9] == 1 { rest.to_vec() } else { [&pseudo[..], rest].concat() };
            assert_eq!(checksum(&covered), 0, "{name}");
        }
        for name in ["tcp6:80:GET /", "udp6:53:abc", "icmp6:odd"] {
            let frame = make(name).unwrap();
            let (header, rest) = frame[14..].split_at(40);
            let pseudo = [&header[8..40], &(rest.len() as u32).to_be_bytes(), &[0, 0, 0, header[6]]].concat();
            assert_eq!(checksum(&[&pseudo[..], rest].concat()), 0, "{name}");
        }
    }

    #[test]
    fn a_known_packet_has_its_known_bytes() {
        // Worked out by hand: an echo request without a payload.
        let expected = [
            &[0; 12][..],
            &[0x08, 0x00],
            &[0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 1, 0x3c, 0xdf, 127, 0, 0, 1, 127, 0, 0, 1],
            &[8, 0, 0xf7, 0xfd, 0, 1, 0, 1],
        ];
        assert_eq!(make("icmp").unwrap(), expected.concat());
    }

    #[test]
    fn a_payload_can_hold_any_byte_and_colons() {
        let frame = make(r"tcp:80:a:b\r\n\t\0\\\xff").unwrap();
        assert_eq!(&frame[54..], b"a:b\r\n\t\0\\\xff");
        assert_eq!(&make("udp:1:é").unwrap()[42..], "é".as_bytes());
    }

    #[test]
    fn a_name_that_makes_no_packet_is_refused_with_what_was_expected() {
        for (name, word) in [
            ("", "expected tcp:PORT"),
            ("sctp:1", "expected tcp:PORT"),
            ("tcp66:1", "expected tcp:PORT"),
            ("tcp", "needs a port"),
            ("tcp:http", "no port"),
            ("tcp:65536", "no port"),
            ("udp:+5:x", "`udp:+5:x`: `+5` is no port"),
            ("udp::x", "`` is no port"),
            (r"tcp:1:\", "backslash"),
            (r"tcp:1:\q", "unknown"),
            (r"tcp:1:\x4", "two hex digits"),
            (r"tcp:1:\x+f", "two hex digits"),
            ("\u{1b}[31m", "u{1b}"),
        ] {
            let error = make(name).unwrap_err();
            assert!(error.to_string().contains(word), "{name}: {error}");
        }
    }

    #[test]
    fn the_largest_packet_is_made_and_a_larger_one_refused() {
        for (kind, room) in [("tcp", 65_495), ("udp", 65_507), ("tcp6", 65_475), ("udp6", 65_487)] {
            let packet = |bytes: usize| make(&format!("{kind}:1:{}", "x".repeat(bytes)));
            assert_eq!(packet(room).unwrap().len(), super::super::LARGEST, "{kind}");
            let error = packet(room + 1).unwrap_err().to_string();
            let why = format!("…`: a payload of {} bytes does not fit: at most {room} do", room + 1);
            assert!(error.starts_with(&format!("`{kind}:1:xx")) && error.ends_with(&why), "{error}");
            assert!(error.len() < 200, "only the name's start is told");
        }
    }
}
