//! Captures written byte by byte, in every byte order, resolution and link type; then cut and changed.

use crate::packet::LARGEST;
use crate::packet::make::make;

use super::*;

/// Numbers in one byte order.
#[derive(Clone, Copy)]
struct Order(bool);

impl Order {
    fn u32(self, number: u32) -> [u8; 4] {
        if self.0 { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u16(self, number: u16) -> [u8; 2] {
        if self.0 { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn record(self, packet: &[u8]) -> Vec<u8> {
        let length = self.u32(packet.len() as u32);
        [&self.u32(1)[..], &self.u32(2), &length, &length, packet].concat()
    }

    fn pcap(self, magic: u32, link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
        let header = [self.u32(magic), [self.u16(2), self.u16(4)].concat().try_into().unwrap(), [0; 4], [0; 4]];
        let rest = [self.u32(262_144), self.u32(link)];
        let records: Vec<_> = packets.iter().flat_map(|packet| self.record(packet)).collect();
        [header.as_flattened(), rest.as_flattened(), &records].concat()
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = self.u32(12 + body.len() as u32);
        [&self.u32(kind)[..], &length, &body, &length].concat()
    }

    fn pcapng(self, link: u16, packets: &[Vec<u8>]) -> Vec<u8> {
        let section = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        let mut file = self.block(0x0a0d_0d0a, &section);
        file.extend(self.block(1, &[&self.u16(link)[..], &[0, 0], &self.u32(0)].concat()));
        for packet in packets {
            let length = self.u32(packet.len() as u32);
            file.extend(self.block(6, &[&self.u32(0)[..], &[0; 8], &length, &length, packet].concat()));
        }
        file
    }
}

/// Everything that a file gives.
fn read(bytes: &[u8]) -> Vec<Result<Vec<u8>, String>> {
    let mut capture = match Capture::new("file".to_owned(), Box::new(Cursor::new(bytes.to_vec()))) {
        Ok(capture) => capture,
        Err(bad) => return vec![Err(told(&bad))],
    };
    std::iter::from_fn(|| capture.next())
        .map(|next| next.map(|packet| packet.frame).map_err(|bad| told(&bad)))
        .collect()
}

/// Without the file's name.
fn told(bad: &Bad) -> String {
    let text = format!("{}: {}", bad.place, bad.problem);
    text.split_once(": ").unwrap().1.to_owned()
}

fn frames() -> Vec<Vec<u8>> {
    ["tcp:80:GET /", "udp6:53:x", "icmp"].map(|name| make(name).unwrap()).to_vec()
}

fn all_good(frames: &[Vec<u8>]) -> Vec<Result<Vec<u8>, String>> {
    frames.iter().cloned().map(Ok).collect()
}

#[test]
fn both_formats_are_read_in_both_byte_orders_and_resolutions() {
    let frames = frames();
    for order in [Order(false), Order(true)] {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
            assert_eq!(
                read(&order.pcap(magic, 1, &frames)),
                all_good(&frames),
                "magic {magic:x}, big endian: {}",
                order.0
            );
        }
        assert_eq!(read(&order.pcapng(1, &frames)), all_good(&frames), "pcapng, big endian: {}", order.0);
    }
}

#[test]
fn packets_without_an_ethernet_header_get_one() {
    let frames = frames();
    let bare: Vec<_> = frames.iter().map(|frame| frame[14..].to_vec()).collect();
    let with = |header: &dyn Fn(&[u8]) -> Vec<u8>| -> Vec<Vec<u8>> {
        frames.iter().map(|frame| [&header(&frame[12..14]), &frame[14..]].concat()).collect()
    };
    let family = |order: Order| move |ethertype: &[u8]| order.u32(if ethertype == [8, 0] { 2 } else { 10 }).to_vec();
    let sll = |ethertype: &[u8]| [&[0; 14], ethertype].concat();
    let sll2 = |ethertype: &[u8]| [ethertype, &[0; 18]].concat();
    for (link, packets) in [
        (101, bare),
        (0, with(&family(Order(false)))),
        (0, with(&family(Order(true)))),
        (108, with(&family(Order(true)))),
        (113, with(&sll)),
        (276, with(&sll2)),
    ] {
        assert_eq!(read(&Order(false).pcap(0xa1b2_c3d4, link, &packets)), all_good(&frames), "link type {link}");
        assert_eq!(read(&Order(true).pcapng(link as u16, &packets)), all_good(&frames), "link type {link}");
    }
    let error = read(&Order(false).pcap(0xa1b2_c3d4, 105, &frames[..1]));
    assert!(error[0].as_ref().unwrap_err().contains("record 0 at byte 24: link type 105"), "{error:?}");
}

#[test]
fn a_file_that_ends_early_says_in_which_record_and_where_that_begins() {
    let frames = frames();
    let whole = Order(false).pcap(0xa1b2_c3d4, 1, &frames);
    let second = 24 + 16 + frames[0].len();
    for end in 0..whole.len() {
        let all = read(&whole[..end]);
        let starts = [24, second, second + 16 + frames[1].len()];
        match all.last() {
            Some(Err(error)) if end == 0 => assert_eq!(error, "record 0 at byte 0: empty: not even a header"),
            Some(Err(error)) if end < 24 => assert_eq!(error, "record 0 at byte 0: the header is cut off"),
            Some(Err(error)) => {
                let record = starts.iter().filter(|start| **start < end).count() - 1;
                let left = end - starts[record];
                let expected = format!(
                    "record {record} at byte {}: the file ends in the middle of it, after {left} bytes",
                    starts[record]
                );
                assert_eq!(error, &expected);
                assert_eq!(&all[..record], &all_good(&frames)[..record]);
            }
            _ => assert!(starts.contains(&end), "{end}: {all:?}"),
        }
    }
}

#[test]
fn a_record_that_claims_too_much_is_not_waited_for_and_the_next_one_is_found() {
    let frames = frames();
    for order in [Order(false), Order(true)] {
        let mut file = order.pcap(0xa1b2_c3d4, 1, &frames);
        file[24 + 8..24 + 12].copy_from_slice(&[0xff; 4]);
        let all = read(&file);
        let error = "record 0 at byte 24: claims 4294967295 bytes, but no record here has more than 262144";
        assert_eq!(all[0], Err(error.to_owned()));
        assert_eq!(&all[1..], &all_good(&frames[1..]));

        // A length that could be, but reaches beyond the end.
        file[24 + 8..24 + 12].copy_from_slice(&order.u32(5000));
        let all = read(&file);
        assert!(all[0].as_ref().unwrap_err().contains("the file ends in the middle of it"), "{all:?}");
        assert_eq!(&all[1..], &all_good(&frames[1..]));
    }
}

#[test]
fn after_a_megabyte_of_nonsense_the_next_record_is_found() {
    let order = Order(false);
    let frames: Vec<_> = (0..4000).map(|number| make(&format!("udp:53:{number}")).unwrap()).collect();
    let mut file = order.pcap(0xa1b2_c3d4, 1, &frames[..2]);
    file.resize(file.len() + 3_000_000, 0xee);
    file.extend(frames[2..].iter().flat_map(|frame| order.record(frame)));
    let all = read(&file);
    assert_eq!(&all[..2], &all_good(&frames[..2]));
    assert!(all[2].is_err());
    assert_eq!(&all[3..], &all_good(&frames[2..]));

    let mut file = order.pcapng(1, &frames[..2]);
    file.resize(file.len() + 3_000_000, 0xee);
    file.extend(order.pcapng(1, &frames[2..]));
    let all = read(&file);
    let good: Vec<_> = all.iter().filter(|one| one.is_ok()).cloned().collect();
    assert_eq!(good, all_good(&frames));
    assert!(all.len() <= good.len() + 2);
}

/// A section of one Ethernet interface, which captures `snaplen` bytes of a packet and has these options.
fn section(order: Order, snaplen: u32, options: &[u8]) -> Vec<u8> {
    let header = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &[0xff; 8]].concat();
    let interface = [&order.u16(1)[..], &[0, 0], &order.u32(snaplen), options].concat();
    [order.block(0x0a0d_0d0a, &header), order.block(1, &interface)].concat()
}

#[test]
fn a_simple_packet_has_no_more_bytes_than_its_interface_captures() {
    let frame = make("udp:53:a longer payload").unwrap();
    for order in [Order(false), Order(true)] {
        for snaplen in [0, 1, 30, 31, 1000] {
            let kept = if snaplen == 0 { frame.len() } else { frame.len().min(snaplen) };
            let block = order.block(3, &[&order.u32(frame.len() as u32)[..], &frame[..kept]].concat());
            let file = [section(order, snaplen as u32, &[]), block].concat();
            assert_eq!(read(&file), [Ok(frame[..kept].to_vec())], "snaplen {snaplen}");
        }
        // Less than the block would have to have.
        let block = order.block(3, &[&order.u32(frame.len() as u32)[..], &frame[..20]].concat());
        let all = read(&[section(order, 0, &[]), block].concat());
        let why = format!("claims {} bytes, but its block has 20", frame.len());
        assert!(all[0].as_ref().unwrap_err().ends_with(&why), "{all:?}");
    }
}

#[test]
fn obsolete_packet_blocks_are_read() {
    let frame = make("udp:53:abc").unwrap();
    for order in [Order(false), Order(true)] {
        let length = order.u32(frame.len() as u32);
        let packet = |interface: u16| {
            [&order.u16(interface)[..], &order.u16(0xffff), &[0; 8], &length, &length, &frame].concat()
        };
        let file = [section(order, 0, &[]), order.block(2, &packet(0))].concat();
        assert_eq!(read(&file), [Ok(frame.clone())]);
        let all =
            read(&[section(order, 0, &[]), order.block(2, &packet(1)), order.block(2, &packet(0)[..16])].concat());
        assert!(all[0].as_ref().unwrap_err().contains("does not describe"), "{all:?}");
        assert!(all[1].as_ref().unwrap_err().contains("a Packet Block that ends within its header"), "{all:?}");
    }
}

#[test]
fn a_frame_check_sequence_is_no_part_of_a_packet() {
    let frame = make("udp:53:abc").unwrap();
    let with = [&frame[..], &[0xfc; 4]].concat();
    for order in [Order(false), Order(true)] {
        for (field, kept) in [
            (2 << 28 | 1 << 26 | 1, frame.len()),
            (4 << 28 | 1 << 26 | 1, frame.len()),
            (1 << 28 | 1 << 26 | 1, frame.len() + 2),
            (2 << 28 | 1, frame.len() + 4),
            (1 << 26 | 1, frame.len() + 4),
        ] {
            let file = order.pcap(0xa1b2_c3d4, field, std::slice::from_ref(&with));
            assert_eq!(read(&file), [Ok(with[..kept].to_vec())], "{field:#x}");
        }
        let length = order.u32(with.len() as u32);
        let packet = |options: &[u8]| {
            let padding = vec![0; with.len().next_multiple_of(4) - with.len()];
            order.block(6, &[&[0; 12][..], &length, &length, &with, &padding, options].concat())
        };
        for octets in [4, 32] {
            let option = [&order.u16(13)[..], &order.u16(1), &[octets, 0, 0, 0], &[0; 4]].concat();
            assert_eq!(read(&[section(order, 0, &option), packet(&[])].concat()), [Ok(frame.clone())], "{octets}");
        }
        let option = [&order.u16(2)[..], &order.u16(4), &order.u32(4 << 5), &[0; 4]].concat();
        assert_eq!(read(&[section(order, 0, &[]), packet(&option)].concat()), [Ok(frame.clone())]);
    }
}

#[test]
fn what_is_cut_off_of_a_packet_is_its_frame_check_sequence_first() {
    let frame = make("udp:53:abc").unwrap();
    for (kept, missing) in [(frame.len() + 1, 3), (frame.len(), 4), (frame.len() - 1, 5)] {
        let mut packet = frame.clone();
        packet.resize(frame.len() + 4, 0xfc);
        let mut file = Order(false).pcap(0xa1b2_c3d4, 2 << 28 | 1 << 26 | 1, &[packet[..kept].to_vec()]);
        file[24 + 12..24 + 16].copy_from_slice(&(packet.len() as u32).to_le_bytes());
        let mut capture = Capture::new("file".to_owned(), Box::new(Cursor::new(file))).unwrap();
        let packet = capture.next().unwrap().map_err(|bad| told(&bad)).unwrap();
        assert_eq!(packet.frame, frame[..kept.min(frame.len())]);
        assert_eq!(packet.missing, missing - 4u32.min(missing), "{kept}");
    }
}

#[test]
fn a_packet_that_is_too_long_does_not_spoil_the_next() {
    let frames = vec![vec![0; LARGEST + 1], make("icmp").unwrap()];
    let expected = [
        Err(format!("record 0 at byte 24: {} bytes, but no packet has more than {LARGEST}", LARGEST + 1)),
        Ok(frames[1].clone()),
    ];
    assert_eq!(read(&Order(false).pcap(0xa1b2_c3d4, 1, &frames)), expected);
}

#[test]
fn a_broken_block_of_pcapng_does_not_spoil_the_next() {
    let frames = frames();
    let mut file = Order(false).pcapng(1, &frames);
    let first = file.len() - Order(false).pcapng(1, &[]).len();
    let start = file.len() - first;
    // The captured length, which is more than the block has.
    file[start + 20..start + 24].copy_from_slice(&1000u32.to_le_bytes());
    let all = read(&file);
    assert!(all[0].as_ref().unwrap_err().starts_with(&format!("record 0 at byte {start}: ")), "{all:?}");
    assert_eq!(&all[1..], &all_good(&frames[1..]));
}

#[test]
fn a_record_is_found_wherever_it_is_in_what_is_searched_at_once() {
    let order = Order(false);
    let frames = frames();
    // The search's window ends before, in and after the next record.
    for nonsense in (262_144 - 200..262_144 + 200).step_by(7) {
        let mut file = order.pcap(0xa1b2_c3d4, 1, &frames[..1]);
        file.resize(file.len() + nonsense, 0xee);
        file.extend(frames[1..].iter().flat_map(|frame| order.record(frame)));
        let all = read(&file);
        assert_eq!(all[0], Ok(frames[0].clone()));
        assert_eq!(&all[2..], &all_good(&frames[1..]), "{nonsense} bytes");
    }
}

#[test]
fn a_file_that_is_compressed_says_what_reads_it() {
    let all = read(&[&[0x1f, 0x8b, 8][..], &[0; 40]].concat());
    assert!(all[0].as_ref().unwrap_err().contains("zcat FILE | minibpf run … --pcap -"), "{all:?}");
}

#[test]
fn a_file_that_is_no_capture_says_so() {
    assert_eq!(read(&[0x7f; 100]), [Err("record 0 at byte 0: neither pcap nor pcapng: unknown magic".to_owned())]);
}

#[test]
fn files_that_are_cut_or_changed_anywhere_end_without_a_panic() {
    let frames = frames();
    for whole in [
        Order(false).pcap(0xa1b2_c3d4, 113, &frames),
        Order(true).pcapng(1, &frames),
        Order(false).pcapng(101, &frames),
    ] {
        for end in 0..whole.len() {
            read(&whole[..end]);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                read(&changed);
            }
        }
    }
}
