//! Loads every socket filter of an object and attaches the first to a UDP socket, and says how long that took.
//!
//! ```text
//! PERF_T=1 cargo run --release --example bench_load -- bpf-src/count.bpf.o     # needs CAP_BPF: run it as root
//! T open 61234 load+attach 210987 total 272221                                 # nanoseconds, on standard error
//! ```

use std::error::Error;
use std::net::UdpSocket;
use std::time::Instant;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: bench_load OBJ")?;
    let begin = Instant::now();
    let bytes = std::fs::read(path)?;
    let object = Object::parse(&bytes)?;
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec))?;
    let opened = Instant::now();
    let kernel = Kernel::load(&plan)?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let first = plan.prog_loads().next().ok_or("the object has no socket filter that can be linked")?;
    let attached = kernel.program(first.id).ok_or("the program was not loaded")?.attach(&socket);
    let end = Instant::now();
    if std::env::var_os("PERF_T").is_some() {
        let (open, load) = ((opened - begin).as_nanos(), (end - opened).as_nanos());
        eprintln!("T open {open} load+attach {load} total {}", open + load);
    }
    // Of a large program the socket may refuse to be charged (net.core.optmem_max); the time counts all the same.
    if let Err(error) = attached {
        eprintln!("{error}");
    }
    Ok(())
}
