//! Loads every socket filter of an object and attaches the first to a UDP socket, and says how long that took.
//!
//! ```text
//! PERF_T=1 cargo run --release --example bench_load -- bpf-src/count.bpf.o     # needs CAP_BPF: run it as root
//! T open 61234 load+attach 210987 total 272221                                 # nanoseconds, on standard error
//! S read 9234 parse 5100 spec 17400 plan 29500 load 198000 attach 12987 faults 14
//! ```
//!
//! The second line parts the first: `read` to `plan` are its `open`; `faults` are the pages that were touched for the first time.

use std::error::Error;
use std::net::UdpSocket;
use std::time::Instant;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;
use nix::sys::resource::{UsageWho, getrusage};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: bench_load OBJ")?;
    let faults = getrusage(UsageWho::RUSAGE_SELF)?.minor_page_faults();
    let begin = Instant::now();
    let bytes = std::fs::read(path)?;
    let read = Instant::now();
    let object = Object::parse(&bytes)?;
    let parsed = Instant::now();
    let spec = Spec::read(&object);
    let understood = Instant::now();
    let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec))?;
    let planned = Instant::now();
    let kernel = Kernel::load(&plan)?;
    let loaded = Instant::now();
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let first = plan.prog_loads().next().ok_or("the object has no socket filter that can be linked")?;
    let attached = kernel.program(first.id).ok_or("the program was not loaded")?.attach(&socket);
    let end = Instant::now();
    let faults = getrusage(UsageWho::RUSAGE_SELF)?.minor_page_faults() - faults;
    if std::env::var_os("PERF_T").is_some() {
        let (open, load) = ((planned - begin).as_nanos(), (end - planned).as_nanos());
        eprintln!("T open {open} load+attach {load} total {}", open + load);
        let stages = [begin, read, parsed, understood, planned, loaded, end];
        let names = ["read", "parse", "spec", "plan", "load", "attach"];
        let took = stages
            .iter()
            .zip(&stages[1..])
            .zip(names)
            .map(|((from, to), name)| format!("{name} {}", (*to - *from).as_nanos()));
        eprintln!("S {} faults {faults}", took.collect::<Vec<_>>().join(" "));
    }
    // Of a large program the socket may refuse to be charged (net.core.optmem_max); the time counts all the same.
    if let Err(error) = attached {
        eprintln!("{error}");
    }
    Ok(())
}
