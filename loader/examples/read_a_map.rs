//! Reads a map in two ways: by the types in the object's BTF, whatever they are, and as a struct of our own that has the same layout.
//!
//! ```text
//! cargo run --example read_a_map               # needs CAP_BPF: run it as root
//! ```

use std::error::Error;
use std::net::UdpSocket;
use std::ops::ControlFlow;

use minibpf::btf::value::Value;
use minibpf::elf::Object;
use minibpf::filter::Filter;
use minibpf::observe::maps::{Types, walk};
use minibpf::spec::Spec;

/// Counts packets and bytes per source port.
const OBJECT: &[u8] = include_bytes!("../src/bpf/count.bpf.o");

/// `struct traffic` of count.bpf.c.
struct Traffic {
    packets: u64,
    bytes: u64,
}

impl Traffic {
    /// The value's bytes lie as the C compiler has laid them. (With more fields, crates like zerocopy derive this for a `#[repr(C)]` struct.)
    fn read(value: &[u8]) -> Option<Self> {
        let (packets, rest) = value.split_first_chunk()?;
        let bytes = rest.first_chunk()?;
        Some(Self { packets: u64::from_ne_bytes(*packets), bytes: u64::from_ne_bytes(*bytes) })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let filter = Filter::load(OBJECT, "count")?;
    let (receiver, sender) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    filter.program().attach(&receiver)?;
    for payload in ["one", "two", "three"] {
        sender.send_to(payload.as_bytes(), receiver.local_addr()?)?;
    }
    let ports = filter.map("ports").ok_or("no map `ports`")?;

    // As a struct of our own.
    let port = sender.local_addr()?.port();
    let value = ports.fd().lookup(&port.to_ne_bytes())?;
    let Traffic { packets, bytes } = Traffic::read(&value).ok_or("the value is too short")?;
    println!("as a struct: {packets} packets, {bytes} bytes");

    // By the types of the object: nothing is known of it beforehand.
    let object = Object::parse(OBJECT)?;
    let spec = Spec::read(&object);
    let types = Types::of(ports, spec.btf.as_ref());
    walk(
        ports,
        |_| (),
        |element| {
            let total = types.contents(element.value).total().unwrap_or_else(|| types.key(element.key));
            let packets = total.member("packets").and_then(Value::integer);
            println!("by its types: {total}, of which packets: {packets:?}");
            ControlFlow::Continue(())
        },
    )?;
    Ok(())
}
