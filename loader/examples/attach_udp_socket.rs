//! Attaches a filter to a `std::net::UdpSocket` of this very process, in one call, and says what it dropped.
//!
//! ```text
//! cargo run --example attach_udp_socket        # needs CAP_BPF: run it as root
//! ```

use std::error::Error;
use std::net::UdpSocket;
use std::time::Duration;

use minibpf::filter::Filter;
use minibpf::link::Options;

/// Drops what is longer than `longer_than` bytes.
const OBJECT: &[u8] = include_bytes!("../src/bpf/drop.bpf.o");

fn main() -> Result<(), Box<dyn Error>> {
    // 8 bytes are the UDP header's: byte 0 is its first.
    let set = vec![("longer_than".to_owned(), (8 + 10).to_string())];
    let filter = Filter::with_options(OBJECT, &Options { set, ..Options::default() })?;

    // What arrives between bind(2) and attach is not filtered: who may not lose a packet attaches before.
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    filter.program().attach(&socket)?;

    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    for payload in ["short", "much longer than that", "end"] {
        socket.send_to(payload.as_bytes(), socket.local_addr()?)?;
    }
    let mut buffer = [0; 64];
    for _ in 0..2 {
        let (len, _) = socket.recv_from(&mut buffer)?;
        println!("received: {}", buffer.get(..len).unwrap_or_default().escape_ascii());
    }

    // `__u64 dropped` is the only variable of .bss, so the map's only value is eight bytes.
    let bss = filter.map(".bss").ok_or("no map .bss")?.fd().lookup(&0u32.to_ne_bytes())?;
    println!("dropped: {}", bss.first_chunk().copied().map(u64::from_ne_bytes).unwrap_or_default());
    Ok(())
}
