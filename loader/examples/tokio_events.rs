//! Awaits what a filter reports through a ring buffer, with tokio: a [`Consumer`] is a descriptor that `AsyncFd` can watch.
//!
//! ```text
//! cargo run --example tokio_events             # needs CAP_BPF: run it as root
//! ```

use std::error::Error;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use minibpf::filter::Filter;
use minibpf::observe::events::{Consumer, Event};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

/// Reports the HTTP requests and answers that arrive on a TCP socket.
const OBJECT: &[u8] = include_bytes!("../src/bpf/http.bpf.o");

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(watch())
}

async fn watch() -> Result<(), Box<dyn Error>> {
    let filter = Filter::load(OBJECT, "http")?;
    #[allow(
        deprecated,
        reason = "what replaces it is unsafe: the descriptor must stay the same, as a consumer's does while it lives"
    )]
    let mut events = AsyncFd::with_interest(Consumer::new(filter.maps())?, Interest::READABLE)?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let server = listener.accept()?.0;
    filter.program().attach(&server)?;
    client.write_all(b"POST /form HTTP/1.1\r\n\r\n")?;

    let mut seen = 0;
    while seen == 0 {
        let mut ready = timeout(Duration::from_secs(5), events.readable_mut()).await??;
        // First, so that what is written from here on makes it ready again; then all that is there is read.
        ready.clear_ready();
        seen += ready.get_inner_mut().consume(usize::MAX, |event| match event {
            Event::Record(record) => {
                let start = record.bytes.get(8..).unwrap_or_default();
                println!("{}: {}", record.map.name(), start.escape_ascii());
            }
            Event::Lost(lost) => println!("{}: {} lost", lost.map.name(), lost.count),
        });
    }
    Ok(())
}
