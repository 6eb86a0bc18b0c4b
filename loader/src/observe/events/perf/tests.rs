//! What is read out of a record.

use super::*;

fn record(kind: u32, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = (PerfRing::HEADER + body.len()) as u16;
    [&kind.to_ne_bytes()[..], &[0, 0], &length.to_ne_bytes(), &body].concat()
}

#[test]
fn a_sample_is_its_time_and_the_bytes_that_its_length_says() {
    let sample = record(PERF_RECORD_SAMPLE, &[&7u64.to_ne_bytes(), &4u32.to_ne_bytes(), b"four"]);
    assert_eq!(parse(&sample), Parsed::Sample(7, b"four"));
    let shorter = record(PERF_RECORD_SAMPLE, &[&7u64.to_ne_bytes(), &0u32.to_ne_bytes(), b"four"]);
    assert_eq!(parse(&shorter), Parsed::Sample(7, b""));
}

#[test]
fn a_record_of_loss_is_its_count() {
    let lost = record(PERF_RECORD_LOST, &[&1u64.to_ne_bytes(), &42u64.to_ne_bytes()]);
    assert_eq!(parse(&lost), Parsed::Lost(42));
}

#[test]
fn a_record_of_another_type_is_passed_over() {
    assert_eq!(parse(&record(5, &[&[0xff; 24]])), Parsed::Other);
    assert_eq!(parse(&record(u32::MAX, &[])), Parsed::Other);
}

#[test]
fn a_record_that_is_too_short_for_what_it_says_is_malformed() {
    let sample = record(PERF_RECORD_SAMPLE, &[&7u64.to_ne_bytes(), &5u32.to_ne_bytes(), b"four"]);
    assert_eq!(parse(&sample), Parsed::Malformed);
    let huge = record(PERF_RECORD_SAMPLE, &[&7u64.to_ne_bytes(), &u32::MAX.to_ne_bytes(), b"four"]);
    assert_eq!(parse(&huge), Parsed::Malformed);
    let lost = record(PERF_RECORD_LOST, &[&1u64.to_ne_bytes()]);
    assert_eq!(parse(&lost), Parsed::Malformed);
    for length in 0..20 {
        assert_eq!(parse(&sample[..length]), Parsed::Malformed, "{length}");
    }
}

#[test]
fn rounding_up_hides_up_to_seven_bytes() {
    // What the kernel makes of a program's bytes: `perf_prepare_sample()`, kernel/events/core.c.
    for given in 0..100usize {
        let read = (given + 4).next_multiple_of(8) - 4;
        assert!(lengths_before_padding(read).contains(&given), "{given} {read}");
    }
}
