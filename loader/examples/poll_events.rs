//! Waits with poll(2) for what a filter reports through a ring buffer. No runtime, no thread.
//!
//! ```text
//! cargo run --example poll_events              # needs CAP_BPF: run it as root
//! ```

use std::error::Error;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;

use minibpf::filter::Filter;
use minibpf::observe::events::{Consumer, Event};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Reports the HTTP requests and answers that arrive on a TCP socket.
const OBJECT: &[u8] = include_bytes!("../src/bpf/http.bpf.o");

fn main() -> Result<(), Box<dyn Error>> {
    let filter = Filter::load(OBJECT, "http")?;
    // Before the filter is attached, so that nothing is missed.
    let mut events = Consumer::new(filter.maps())?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let server = listener.accept()?.0;
    filter.program().attach(&server)?;
    client.write_all(b"GET /index.html HTTP/1.1\r\n\r\n")?;

    let mut seen = 0;
    while seen == 0 {
        let mut readable = [PollFd::new(events.as_fd(), PollFlags::POLLIN)];
        if poll(&mut readable, PollTimeout::from(5_000u16))? == 0 {
            return Err("no event in five seconds".into());
        }
        // The bytes lie in the ring itself, so they are looked at before the closure returns.
        seen += events.consume(usize::MAX, |event| match event {
            Event::Record(record) => {
                let start = record.bytes.get(8..).unwrap_or_default();
                println!("{}: {}", record.map.name(), start.escape_ascii());
            }
            Event::Lost(lost) => println!("{}: {} lost", lost.map.name(), lost.count),
        });
    }
    Ok(())
}
