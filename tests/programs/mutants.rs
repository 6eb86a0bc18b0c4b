//! What dns-log and sni make of thousands of damaged messages, held against readers that are written in Rust.

use std::collections::BTreeMap;

use crate::numbers::Numbers;
use crate::support::objects::program;
use crate::support::process::run;
use crate::support::{number, text, unhex};

const COUNT: usize = 2000;

struct Random(Numbers);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit)
    }

    fn byte(&mut self) -> u8 {
        // Lengths that lie a little, and a lot.
        let any = self.below(256) as u8;
        *self.0.one_of(&[0, 1, 3, 63, 64, 192, 255, any])
    }

    /// A number, which one time in eight is not quite right.
    fn nearly(&mut self, number: usize) -> usize {
        if self.below(8) == 0 { (number + self.below(5)).saturating_sub(2) } else { number }
    }

    /// Other bytes, fewer, more; half of the messages stay as they are.
    fn damage(&mut self, message: &[u8]) -> Vec<u8> {
        let mut damaged = message.to_vec();
        for _ in 0..self.below(8).saturating_sub(4) {
            let at = self.below(damaged.len());
            match self.below(4) {
                0 => damaged.truncate(at.max(1)),
                1 => damaged.insert(at, self.byte()),
                _ => damaged[at] = self.byte(),
            }
        }
        damaged
    }
}

/// A capture of IPv4 packets that carry these.
fn capture(protocol: u8, header: &[u8], messages: &[Vec<u8>]) -> Vec<u8> {
    // pcap, version 2.4, link type 101: raw IP.
    let mut file: Vec<u8> =
        [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 101_u32].iter().flat_map(|n| n.to_le_bytes()).collect();
    for message in messages {
        let len = u16::try_from(20 + header.len() + message.len()).unwrap();
        file.extend([0, 0, u32::from(len), u32::from(len)].iter().flat_map(|n: &u32| n.to_le_bytes()));
        file.extend([0x45, 0, len.to_be_bytes()[0], len.to_be_bytes()[1], 0, 0, 0, 0, 64, protocol, 0, 0]);
        file.extend([127, 0, 0, 1, 127, 0, 0, 1]);
        file.extend(header);
        file.extend(message);
    }
    file
}

/// What a program reported of each packet of a capture, as bytes, and its counters in the end.
fn reported(object: &str, name: &str, capture: &[u8], counters: &[(&str, usize)]) -> BTreeMap<usize, Vec<u8>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), capture).unwrap();
    let mut args = ["run", &program(object), "--program", name, "--json", "-v", "--pcap"].map(str::to_owned).to_vec();
    args.push(file.path().to_str().unwrap().to_owned());
    for (counter, value) in counters {
        args.extend(["--expect-map".to_owned(), format!("{counter}={value}")]);
    }
    let ran = run(args).expect(0);
    assert_eq!(ran.kind("packet").len(), COUNT);
    let of =
        |event: &serde_json::Value| (usize::try_from(number(event, "packet")).unwrap(), unhex(text(event, "bytes")));
    ran.kind("event").iter().map(of).collect()
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(*bytes.get(at)?) << 8 | usize::from(*bytes.get(at + 1)?))
}

/// The event of a question: its type, its id and its name, which is filled up with zeros.
fn question(message: &[u8]) -> Option<Vec<u8>> {
    if *message.get(2)? & 0xf8 != 0 || be16(message, 4)? != 1 {
        return None;
    }
    let (mut at, mut labels) = (12, Vec::new());
    while *message.get(at)? != 0 {
        let length = usize::from(message[at]);
        if length > 63 {
            return None;
        }
        labels.push(message.get(at + 1..at + 1 + length)?);
        at += 1 + length;
    }
    if at + 1 - 12 > 255 {
        return None;
    }
    let kind = u32::try_from(be16(message, at + 1)?).unwrap();
    let mut event = kind.to_le_bytes().to_vec();
    event.extend(u16::try_from(be16(message, 0)?).unwrap().to_le_bytes());
    event.extend(labels.join(&b'.'));
    event.resize(264, 0);
    Some(event)
}

/// A question with labels of any length, among them those at the limit, in a header that is mostly right.
fn any_question(random: &mut Random) -> Vec<u8> {
    let flags = [0x01, 0x00, 0x81, 0x29][random.below(6).saturating_sub(2)];
    let mut message = vec![0x12, 0x34, flags, 0, 0, [1, 1, 1, 0, 2][random.below(5)], 0, 0, 0, 0, 0, 0];
    for _ in 0..random.below(7) {
        let length = [1, 3, 8, 40, 61, 62, 63, 63, 64][random.below(9)];
        message.push(u8::try_from(length).unwrap());
        message.extend((0..length).map(|_| random.byte()));
    }
    message.extend([0, 0, [1, 28, 99][random.below(3)], 0, 1, 0, 0, 41]);
    message
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_damaged_questions_dns_log_reads_what_a_reader_in_rust_reads() {
    let mut random = Random(Numbers::new(0x2545_f491_4f6c_dd1d));
    let mut any = || {
        let whole = any_question(&mut random);
        random.damage(&whole)
    };
    let messages: Vec<_> = (0..COUNT).map(|_| any()).collect();
    let expected: BTreeMap<_, _> =
        messages.iter().enumerate().filter_map(|(n, message)| Some((n, question(message)?))).collect();
    assert!(expected.len() > COUNT / 8 && expected.len() < COUNT / 2, "{} are questions", expected.len());
    let counters = [("logged", expected.len()), ("skipped", COUNT - expected.len())];
    let capture = capture(17, b"\xc0\0\0\x35\0\0\0\0", &messages);
    assert_eq!(reported("dns-log", "dns_packet", &capture, &counters), expected);
}

/// What is to come of a hello.
#[derive(Debug, PartialEq)]
enum Hello {
    Named(Vec<u8>),
    Unnamed,
    Incomplete,
}

/// The first place behind the lists that have a length before them, and the end of the extensions; nothing if a length leads out.
fn extensions(bytes: &[u8]) -> Option<(usize, usize)> {
    let at = 44 + usize::from(bytes[43]);
    let at = at + 2 + be16(bytes, at)?;
    let at = at + 1 + usize::from(*bytes.get(at)?);
    let end = at + 2 + be16(bytes, at)?;
    let (record, message) = (be16(bytes, 3)?, usize::from(bytes[6]) << 16 | be16(bytes, 7)?);
    (message + 4 <= record && end <= 5 + record).then_some((at + 2, end))
}

/// The name in an extension: a list of one, of which all three lengths agree.
fn name_of(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    let size = length - 5;
    let lengths_agree = be16(bytes, at) == Some(length - 2) && be16(bytes, at + 3) == Some(size);
    let is_name = lengths_agree && bytes.get(at + 2) == Some(&0) && size <= 254;
    bytes.get(at + 5..at + 5 + size).filter(|_| is_name)
}

/// The event of a hello, or why there is none.
fn hello(bytes: &[u8]) -> Option<Hello> {
    if bytes.len() < 44 || bytes[0] != 22 || bytes[1] != 3 || bytes[5] != 1 {
        return None;
    }
    let Some((mut at, end)) = extensions(bytes) else { return Some(Hello::Incomplete) };
    let (mut place, mut ech) = (None, 0);
    for _ in 0..40 {
        let (true, Some(kind), Some(length)) = (at < end, be16(bytes, at), be16(bytes, at + 2)) else { break };
        at += 4;
        match kind {
            0 if length > 5 => place = Some((at, length)),
            0xfe0d => ech = 1,
            _ => {}
        }
        at += length;
    }
    let Some((place, length)) = place else {
        return Some(if at == end { Hello::Unnamed } else { Hello::Incomplete });
    };
    let Some(name) = name_of(bytes, place, length) else { return Some(Hello::Incomplete) };
    let mut event = [&[ech], name].concat();
    event.resize(256, 0);
    Some(Hello::Named(event))
}

/// Bytes with their length before them, in two bytes; nearly.
fn counted(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(random.nearly(bytes.len())).unwrap();
    [&length.to_be_bytes(), bytes].concat()
}

/// An extension: a name, one that says that there is another name, or any.
fn any_extension(random: &mut Random) -> Vec<u8> {
    let name = vec![b'x'; [0, 1, 12, 253, 254, 255][random.below(6)]];
    let (kind, content) = match random.below(4) {
        0 => {
            let host = [vec![[0, 0, 0, 1][random.below(4)]], counted(random, &name)].concat();
            (0_u16, counted(random, &host))
        }
        1 => (0xfe0d, vec![0; random.below(9)]),
        _ => (0x1a1a, vec![0; random.below(9)]),
    };
    [&kind.to_be_bytes()[..], &counted(random, &content)].concat()
}

/// A client hello with any number of them.
fn any_hello(random: &mut Random) -> Vec<u8> {
    let many = [0, 1, 2, 3, 5, 39, 40, 41][random.below(8)];
    let extensions: Vec<u8> = (0..many).flat_map(|_| any_extension(random)).collect();
    let session = vec![7; random.below(33)];
    let mut message = [&b"\x03\x03"[..], &[9; 32], &[u8::try_from(session.len()).unwrap()], &session].concat();
    message.extend(counted(random, b"\x13\x01\x13\x02"));
    message.extend(b"\x01\0");
    message.extend(counted(random, &extensions));
    let message = [&b"\x01\0"[..], &counted(random, &message)].concat();
    let record = [&b"\x16\x03\x01"[..], &counted(random, &message)].concat();
    // A test run takes 3712 bytes at most.
    record[..record.len().min(3600)].to_vec()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_damaged_hellos_sni_reads_what_a_reader_in_rust_reads() {
    let mut random = Random(Numbers::new(0x9e37_79b9_7f4a_7c15));
    let mut any = || {
        let whole = any_hello(&mut random);
        random.damage(&whole)
    };
    let messages: Vec<_> = (0..COUNT).map(|_| any()).collect();
    let outcomes: Vec<_> = messages.iter().map(|message| hello(message)).collect();
    let count = |wanted: fn(&Hello) -> bool| outcomes.iter().flatten().filter(|outcome| wanted(outcome)).count();
    let counters = [
        ("named", count(|outcome| matches!(outcome, Hello::Named(_)))),
        ("unnamed", count(|outcome| *outcome == Hello::Unnamed)),
        ("incomplete", count(|outcome| *outcome == Hello::Incomplete)),
    ];
    assert!(counters.iter().all(|(_, count)| *count > 100), "{counters:?}");
    let capture = capture(6, b"\xc0\0\x01\xbb\0\0\0\0\0\0\0\0\x50\x18\0\0\0\0\0\0", &messages);
    let named = outcomes.into_iter().enumerate().filter_map(|(n, outcome)| match outcome {
        Some(Hello::Named(event)) => Some((n, event)),
        _ => None,
    });
    assert_eq!(reported("sni", "sni_packet", &capture, &counters), named.collect());
}
