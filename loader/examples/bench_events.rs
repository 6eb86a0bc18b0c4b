//! Fills the ring of an object's filter again and again, and says how long it took to read it empty.
//!
//! ```text
//! cargo run --release --example bench_events -- OBJ PACKETS ROUNDS     # needs CAP_BPF: run it as root
//! T events 699008 ns 1234567                                           # a line for each round, on standard error
//! ```

use std::error::Error;
use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::observe::events::{Consumer, Event};
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;

/// 16 MiB.
const PERF_PAGES: usize = 4096;

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: bench_events OBJ PACKETS ROUNDS";
    let mut arguments = std::env::args().skip(1);
    let bytes = std::fs::read(arguments.next().ok_or(usage)?)?;
    let packets: usize = arguments.next().ok_or(usage)?.parse()?;
    let rounds: usize = arguments.next().ok_or(usage)?.parse()?;
    let object = Object::parse(&bytes)?;
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec))?;
    let kernel = Kernel::load(&plan)?;
    let mut consumer = Consumer::with_perf_pages(kernel.maps().map(|(_, map)| map), PERF_PAGES)?;
    let (to, from) = UnixDatagram::pair()?;
    kernel.program_named("fill").ok_or("no program `fill`")?.attach(&from)?;
    let mut sum = 0u64;
    for _ in 0..rounds {
        for _ in 0..packets {
            to.send(b"packet")?;
        }
        let begin = Instant::now();
        let events = consumer.consume(usize::MAX, |event| {
            if let Event::Record(record) = event {
                let first = record.bytes.first_chunk().copied().unwrap_or_default();
                sum = sum.wrapping_add(u64::from_ne_bytes(first));
            }
        });
        eprintln!("T events {events} ns {}", begin.elapsed().as_nanos());
    }
    // So that the reading cannot be left out.
    println!("{sum}");
    Ok(())
}
