//! The consumer of the library, in this process.

use std::net::UdpSocket;
use std::os::fd::AsFd;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::observe::events::{Consumer, Event};
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;
use nix::poll::{PollFd, PollFlags, poll};

use super::{send, two_maps};
use crate::support::objects::Made;

/// Loads what was compiled, in this process.
fn load_here(made: &Made) -> Kernel {
    let bytes = made.bytes();
    let object = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec)).unwrap();
    Kernel::load(&plan).unwrap()
}

/// Whether something can be read, without waiting.
fn is_readable(consumer: &Consumer<'_>) -> bool {
    poll(&mut [PollFd::new(consumer.as_fd(), PollFlags::POLLIN)], 0u8).unwrap() == 1
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_consumer_of_two_maps_is_readable_while_there_is_something_to_read_and_takes_turns() {
    let kernel = load_here(&two_maps());
    let mut consumer = Consumer::with_perf_pages(kernel.maps().map(|(_, map)| map), 1).unwrap();
    assert!(!consumer.is_empty() && consumer.slots().count() > 0);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    kernel.program_named("both").unwrap().attach(&socket).unwrap();
    assert!(!is_readable(&consumer));
    // 40 bytes of header and event, and 24 of packet: a page takes 56 of them, the ring buffer has room for all.
    send(socket.local_addr().unwrap(), 200);
    assert!(is_readable(&consumer));
    let (mut ring, mut perf, mut lost) = (0, 0, 0);
    let mut count = |event: Event<'_>| match event {
        Event::Record(record) if record.cpu.is_some() => perf += 1,
        Event::Record(record) => {
            assert_eq!(record.bytes.len(), 8);
            ring += 1;
        }
        Event::Lost(gone) => lost += gone.count,
    };
    assert_eq!(consumer.consume(150, &mut count), 150);
    let rest = consumer.consume(usize::MAX, &mut count);
    // Of each CPU's perf event it is still to be told that there was something; once.
    assert!((0..64).any(|_| !is_readable(&consumer)));
    assert!(!is_readable(&consumer));
    assert_eq!(consumer.drain(usize::MAX, &mut count), 0);
    assert_eq!((ring, perf + lost), (200, 200));
    assert!(perf >= 50 && lost > 0, "{perf} {lost}");
    assert_eq!(rest as u64, ring + perf - 150);
    assert_eq!(consumer.found_full().map(|(map, times)| (map.name(), times)).collect::<Vec<_>>(), [("numbers", 0)]);
}
