//! Attaches a filter to a `std::net::TcpStream` of this very process, talks through it, and detaches it.
//!
//! ```text
//! cargo run --example attach_tcp_stream                    # needs CAP_BPF: run it as root
//! cargo run --example attach_tcp_stream -- my.bpf.o main   # another object, another program
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::observe::maps;
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let bytes = match arguments.next() {
        Some(path) => std::fs::read(path)?,
        None => include_bytes!("../src/bpf/count.bpf.o").to_vec(),
    };
    let name = arguments.next().unwrap_or("count".to_owned());

    // The object becomes a plan, the plan becomes programs and maps in the kernel.
    let object = Object::parse(&bytes)?;
    let spec = Spec::read(&object);
    let options = Options { program: Some(name.clone()), ..Options::default() };
    let plan = Plan::new(&spec, &options, &Target::running(&spec))?;
    let kernel = Kernel::load(&plan)?;
    let filter = kernel.program_named(&name).ok_or("the program cannot be linked")?;
    println!("loaded program id {}", filter.info()?.id);

    // An ordinary connection, and a peer that sends back what it gets.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut stream = TcpStream::connect(listener.local_addr()?)?;
    let mut peer = listener.accept()?.0;
    let echo = std::thread::spawn(move || {
        let mut line = [0; 6];
        peer.read_exact(&mut line).and_then(|()| peer.write_all(&line))
    });

    filter.attach(&stream)?;
    stream.write_all(b"hello\n")?;
    let mut answer = [0; 6];
    stream.read_exact(&mut answer)?;
    println!("the peer said {}", answer.escape_ascii());
    filter.detach(&stream)?;
    echo.join().map_err(|_| "the peer broke down")??;

    for (_, map) in kernel.maps().filter(|(_, map)| maps::is_walkable(map)) {
        maps::walk(
            map,
            |_| (),
            |element| {
                println!("{}: key {:?} value {:?}", map.name(), element.key, element.value);
                ControlFlow::Continue(())
            },
        )?;
    }
    Ok(())
}
