//! The library without the command line: load, attach, detach, and who keeps a program alive.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;
use nix::errno::Errno;

use crate::support::bpftool::{bpftool, wait_until_gone};
use crate::support::objects::object;

/// Loads a committed object with some of its variables set.
fn load(name: &str, set: &[(&str, &str)]) -> Kernel {
    let bytes = std::fs::read(object(name)).unwrap();
    let object = Object::parse(&bytes).unwrap();
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = Options { set, ..Options::default() };
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &options, &Target::running(&spec)).unwrap();
    Kernel::load(&plan).unwrap()
}

/// Both ends of a connection.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_program_is_attached_to_a_std_stream_and_detached_once() {
    let kernel = load("count", &[]);
    let program = kernel.program_named("count").unwrap();
    let (client, _server) = connection();
    program.attach(&client).unwrap();
    program.detach(&client).unwrap();
    assert_eq!(program.detach(&client).unwrap_err().errno, Errno::ENOENT, "there is nothing left to detach");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn attaching_again_replaces_the_filter_and_leaves_one_to_detach() {
    let kernel = load("count", &[]);
    let program = kernel.program_named("count").unwrap();
    let (client, _server) = connection();
    program.attach(&client).unwrap();
    program.attach(&client).unwrap();
    program.detach(&client).unwrap();
    assert_eq!(program.detach(&client).unwrap_err().errno, Errno::ENOENT);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_socket_keeps_the_filter_running_after_the_program_and_its_maps_were_dropped() {
    let kernel = load("drop", &[("longer_than", "0")]);
    let program = kernel.program_named("drop").unwrap();
    let id = i64::from(program.info().unwrap().id);
    let (mut client, mut server) = connection();
    program.attach(&client).unwrap();
    drop(kernel);

    bpftool(&["prog", "show", "id", &id.to_string()]);
    server.write_all(b"dropped at first").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(client.read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock, "the filter still drops");

    // Anybody's program can take it off; then TCP delivers what it had lost.
    minibpf::hook::socket::detach(&client).unwrap();
    client.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    client.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"dropped at first");
    wait_until_gone("prog", id);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn closing_the_socket_frees_the_program() {
    let kernel = load("pass", &[]);
    let program = kernel.program_named("pass").unwrap();
    let id = i64::from(program.info().unwrap().id);
    let (client, server) = connection();
    program.attach(&client).unwrap();
    drop(kernel);
    bpftool(&["prog", "show", "id", &id.to_string()]);
    drop((client, server));
    wait_until_gone("prog", id);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_program_is_tried_on_a_packet_that_was_made_by_name() {
    let kernel = load("drop", &[("longer_than", "40")]);
    let program = kernel.program_named("drop").unwrap();
    let tried = |name: &str| program.test_run(&minibpf::packet::make::make(name).unwrap(), 1).unwrap().ret;
    assert_eq!((tried("icmp"), tried("tcp:80:GET /")), (28, 0));
    assert_eq!(program.test_run(&[0; 13], 1).unwrap_err().errno, Errno::EINVAL);
}
