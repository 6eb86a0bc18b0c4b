//! Tests a filter as any other code is tested: `BPF_PROG_TEST_RUN` gives it a packet, without a socket and without traffic.
//!
//! ```text
//! cargo test --example test_a_filter -- --include-ignored      # needs CAP_BPF: run it as root
//! ```

use std::error::Error;

use minibpf::filter::Filter;
use minibpf::link::Options;
use minibpf::packet::make::make;

/// Drops what is longer than `longer_than` bytes.
const OBJECT: &[u8] = include_bytes!("../src/bpf/drop.bpf.o");

/// The filter under test, with its limit.
fn drop_longer_than(limit: u32) -> Result<Filter, Box<dyn Error>> {
    let set = vec![("longer_than".to_owned(), limit.to_string())];
    Ok(Filter::with_options(OBJECT, &Options { set, ..Options::default() })?)
}

/// How many bytes it keeps of a packet: in a test run byte 0 is the network header's.
fn keeps(filter: &Filter, packet: &str) -> Result<u32, Box<dyn Error>> {
    Ok(filter.program().test_run(&make(packet)?, 1)?.ret)
}

/// Run as a program it says what the tests look at.
fn main() -> Result<(), Box<dyn Error>> {
    let filter = drop_longer_than(40)?;
    for packet in ["icmp", "udp:53:question", "tcp:80:GET / HTTP/1.0"] {
        println!("{packet}: keeps {} bytes", keeps(&filter, packet)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "needs CAP_BPF"]
    fn a_packet_up_to_the_limit_is_kept_whole() {
        // 20 bytes of IPv4, 8 of UDP, 11 of payload.
        assert_eq!(keeps(&drop_longer_than(40).unwrap(), "udp:53:eleven char").unwrap(), 39);
        assert_eq!(keeps(&drop_longer_than(39).unwrap(), "udp:53:eleven char").unwrap(), 39);
    }

    #[test]
    #[ignore = "needs CAP_BPF"]
    fn a_longer_one_is_dropped_and_counted() {
        let filter = drop_longer_than(38).unwrap();
        assert_eq!(keeps(&filter, "udp:53:eleven char").unwrap(), 0);
        let dropped = filter.map(".bss").unwrap().fd().lookup(&0u32.to_ne_bytes()).unwrap();
        assert_eq!(dropped, 1u64.to_ne_bytes());
    }
}
