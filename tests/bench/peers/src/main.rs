//! The same as loader/examples/bench_load.rs, by aya: every socket filter of an object loaded, the first attached to a UDP socket.

use std::net::UdpSocket;
use std::time::Instant;

use aya::programs::{Program, SocketFilter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: aya-load OBJ")?;
    let begin = Instant::now();
    let mut object = aya::Ebpf::load_file(path)?;
    let opened = Instant::now();
    let mut names: Vec<String> = Vec::new();
    for (name, program) in object.programs_mut() {
        if let Program::SocketFilter(program) = program {
            program.load()?;
            names.push(name.to_owned());
        }
    }
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let program: &mut SocketFilter = object.program_mut(&names[0]).ok_or("no program")?.try_into()?;
    let attached = program.attach(&socket);
    let end = Instant::now();
    if std::env::var_os("PERF_T").is_some() {
        let (open, load) = ((opened - begin).as_nanos(), (end - opened).as_nanos());
        eprintln!("T open {open} load+attach {load} total {}", open + load);
    }
    if let Err(error) = attached {
        eprintln!("{error}");
    }
    std::process::exit(0)
}
