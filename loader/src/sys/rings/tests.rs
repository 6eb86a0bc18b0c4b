//! Rings in fake pages: a file in memory stands for what the kernel shares.

use std::fs::File;
use std::os::unix::fs::FileExt;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::perf::{DATA_HEAD, DATA_TAIL};
use super::*;

const PAGE: usize = 4096;

/// What one step has found.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Record(Vec<u8>),
    Discarded,
    Malformed,
    Nothing,
}

/// One step of a walk: `walk` goes it, `tail` says where it has led.
macro_rules! next {
    ($ring:expr) => {{
        let (before, mut found) = ($ring.tail(), Vec::new());
        let walked = $ring.walk(1, |record| found.push(record.to_vec()));
        match found.pop() {
            Some(record) => Next::Record(record),
            None if walked.is_malformed => Next::Malformed,
            None if $ring.tail() != before => Next::Discarded,
            None => Next::Nothing,
        }
    }};
}

/// So many pages of zeros.
fn pages(count: usize) -> File {
    let file = File::from(memfd_create("pages", MFdFlags::MFD_CLOEXEC).unwrap());
    file.set_len((count * PAGE) as u64).unwrap();
    file
}

fn u64_at(file: &File, at: usize) -> u64 {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, at as u64).unwrap();
    u64::from_ne_bytes(bytes)
}

/// A perf buffer of one page.
struct Perf(File);

impl Perf {
    fn new() -> (Self, PerfRing) {
        let file = pages(2);
        let ring = PerfRing::new(&file, PAGE, 1).unwrap();
        (Self(file), ring)
    }

    fn set_head(&self, head: u64) {
        self.0.write_all_at(&head.to_ne_bytes(), DATA_HEAD as u64).unwrap();
    }

    /// Writes bytes at a position, round the end.
    fn put(&self, position: usize, bytes: &[u8]) {
        for (number, byte) in bytes.iter().enumerate() {
            self.0.write_all_at(&[*byte], (PAGE + (position + number) % PAGE) as u64).unwrap();
        }
    }
}

/// A record of this type, whose header says that it has so many bytes.
fn record(kind: u32, says: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_ne_bytes()[..], &[0, 0], &says.to_ne_bytes(), body].concat()
}

#[test]
fn a_perf_record_is_read_in_place_and_one_that_wraps_is_put_together() {
    let (perf, mut ring) = Perf::new();
    assert_eq!(next!(ring), Next::Nothing);
    let filler = record(9, 4088, &[1; 4080]);
    let wrapping = record(9, 24, b"sixteen bytes...");
    perf.put(0, &filler);
    perf.set_head(4088);
    assert_eq!(next!(ring), Next::Record(filler));
    assert_eq!(next!(ring), Next::Nothing);
    assert_eq!((ring.unreleased(), u64_at(&perf.0, DATA_TAIL)), (4088, 0));
    ring.release();
    assert_eq!((ring.unreleased(), u64_at(&perf.0, DATA_TAIL)), (0, 4088));
    perf.put(4088, &wrapping);
    perf.set_head(4088 + 24);
    assert_eq!(next!(ring), Next::Record(wrapping));
    ring.release();
    assert_eq!(u64_at(&perf.0, DATA_TAIL), 4088 + 24);
}

#[test]
fn a_perf_record_whose_length_cannot_be_true_ends_the_ring_and_the_next_one_is_read() {
    // Shorter than a header, no multiple of eight, longer than what was written, longer than the ring.
    for (says, written) in [(0, 64), (7, 64), (12, 64), (72, 64), (u16::MAX, 64), (8, 4)] {
        let (perf, mut ring) = Perf::new();
        perf.put(0, &record(9, says, &[]));
        perf.set_head(written);
        assert_eq!(next!(ring), Next::Malformed, "{says} of {written}");
        assert_eq!(next!(ring), Next::Nothing, "{says} of {written}");
    }
}

#[test]
fn a_perf_head_that_cannot_be_true_ends_the_ring() {
    for head in [4097, u64::MAX, 1 << 63] {
        let (perf, mut ring) = Perf::new();
        perf.set_head(head);
        assert_eq!(next!(ring), Next::Malformed, "{head}");
        assert_eq!(next!(ring), Next::Nothing, "{head}");
        ring.release();
        // Back, where the kernel cannot go.
        perf.set_head(16);
        assert_ne!(next!(ring), Next::Nothing, "{head}");
    }
}

#[test]
fn a_position_that_passes_the_largest_number_begins_again() {
    const LAST: u64 = u64::MAX - 7;
    let (perf, mut ring) = Perf::new();
    perf.set_head(LAST);
    assert_eq!(next!(ring), Next::Malformed);
    ring.release();
    let wrapping = record(9, 16, b"eight...");
    perf.put(4088, &wrapping);
    perf.set_head(8);
    assert_eq!(next!(ring), Next::Record(wrapping));
    assert_eq!((ring.tail(), ring.unreleased()), (8, 16));

    // The consumer's page of a ring buffer is anybody's who has the map.
    let file = pages(4);
    file.write_all_at(&LAST.to_ne_bytes(), 0).unwrap();
    let (bpf, mut ring) = (Bpf(file.try_clone().unwrap()), BpfRing::new(&file, PAGE, PAGE).unwrap());
    bpf.put(4088, 8, b"eight...");
    bpf.set_head(8);
    assert_eq!(next!(ring), Next::Record(b"eight...".to_vec()));
    assert_eq!((ring.tail(), ring.unreleased()), (8, 16));
}

#[test]
fn a_perf_buffer_is_a_power_of_two_of_pages() {
    for wrong in [0, 3, usize::MAX] {
        assert_eq!(PerfRing::new(pages(4), PAGE, wrong).unwrap_err().errno, Errno::EINVAL, "{wrong}");
    }
}

/// A ring buffer of one page: the consumer's page, the producer's, the ring twice.
struct Bpf(File);

impl Bpf {
    fn new() -> (Self, BpfRing) {
        let file = pages(4);
        let ring = BpfRing::new(&file, PAGE, PAGE).unwrap();
        (Self(file), ring)
    }

    fn set_head(&self, head: u64) {
        self.0.write_all_at(&head.to_ne_bytes(), PAGE as u64).unwrap();
    }

    /// Writes a record at a position, into both copies of the ring.
    fn put(&self, position: usize, header: u32, body: &[u8]) {
        let whole = [&header.to_ne_bytes()[..], &[0xee; 4], body].concat();
        for (number, byte) in whole.iter().enumerate() {
            let at = (position + number) % PAGE;
            self.0.write_all_at(&[*byte], (2 * PAGE + at) as u64).unwrap();
            self.0.write_all_at(&[*byte], (3 * PAGE + at) as u64).unwrap();
        }
    }
}

#[test]
fn records_of_a_ring_buffer_come_in_order_until_one_that_is_still_being_written() {
    let (bpf, mut ring) = Bpf::new();
    bpf.put(0, 5, b"first");
    bpf.put(16, BpfRing::DISCARD | 8, b"not this");
    bpf.put(32, BpfRing::BUSY | 8, b"not yet.");
    bpf.set_head(48);
    assert_eq!(next!(ring), Next::Record(b"first".to_vec()));
    assert_eq!(next!(ring), Next::Discarded);
    assert_eq!(next!(ring), Next::Nothing);
    ring.release();
    assert_eq!((u64_at(&bpf.0, 0), ring.occupied()), (32, 16));
    bpf.put(32, 8, b"now it is");
    assert_eq!(next!(ring), Next::Record(b"now it i".to_vec()));
    assert_eq!(next!(ring), Next::Nothing);
}

#[test]
fn a_record_of_a_ring_buffer_that_goes_over_the_end_is_in_place_too() {
    let (bpf, mut ring) = Bpf::new();
    bpf.put(0, 4080, &[0; 4080]);
    bpf.set_head(4088);
    assert_eq!(next!(ring), Next::Record(vec![0; 4080]));
    ring.release();
    bpf.put(4088, 16, b"over the end ...");
    bpf.set_head(4088 + 24);
    assert_eq!(next!(ring), Next::Record(b"over the end ...".to_vec()));
}

#[test]
fn a_length_or_a_position_of_a_ring_buffer_that_cannot_be_true_ends_the_ring() {
    for (header, head) in [(57, 64), (0x3fff_ffff, 64), (8, 4097), (8, u64::MAX)] {
        let (bpf, mut ring) = Bpf::new();
        bpf.put(0, header, &[]);
        bpf.set_head(head);
        assert_eq!(next!(ring), Next::Malformed, "{header} of {head}");
        assert_eq!(next!(ring), Next::Nothing, "{header} of {head}");
    }
}
