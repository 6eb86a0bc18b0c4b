//! Many sockets, and many processes, at once.

use std::net::UdpSocket;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;

use crate::support::bpftool::wait_until_gone;
use crate::support::number;
use crate::support::objects::object;
use crate::support::process::Running;
use crate::{alone, figure};

#[test]
#[ignore = "needs CAP_BPF"]
fn a_thousand_sockets_have_a_filter_at_once_and_each_is_filtered() {
    const SOCKETS: usize = 1_000;
    let _alone = alone();
    // Ours inherit the limit: the usual soft one is 1024.
    let (_, hard) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let bytes = std::fs::read(object("drop")).unwrap();
    let elf = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&elf);
    // A UDP header of 8 bytes, and more than 10 bytes of payload.
    let options = Options { set: vec![("longer_than".to_owned(), "18".to_owned())], ..Options::default() };
    let kernel = Kernel::load(&Plan::new(&spec, &options, &Target::running(&spec)).unwrap()).unwrap();
    let program = kernel.program_named("drop").unwrap();
    let sockets: Vec<_> = (0..SOCKETS).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for socket in &sockets {
        program.attach(socket).unwrap();
    }
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for socket in &sockets {
        let to = socket.local_addr().unwrap();
        sender.send_to(b"this is too long", to).unwrap();
        sender.send_to(b"short", to).unwrap();
        socket.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
        let mut buffer = [0; 64];
        let count = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"short", "the long one was dropped");
    }
    let id = program.info().unwrap().id;
    drop(kernel);
    // The sockets keep it.
    assert!(crate::support::bpftool::try_bpftool(&["prog", "show", "id", &id.to_string()]).is_some());
    drop(sockets);
    wait_until_gone("prog", i64::from(id));
    figure(
        "sockets with a filter at once",
        &format!("{SOCKETS}; each dropped what it should; the program went with the last of them"),
    );
}

#[test]
#[ignore = "needs CAP_BPF"]
fn twenty_four_processes_load_at_once_and_leave_nothing() {
    const PROCESSES: usize = 24;
    let _alone = alone();
    let names = ["pass", "count", "drop", "http"];
    let start = |number: usize| {
        Running::start(["load", &object(names[number % names.len()]), "--listen", "udp:127.0.0.1:0", "--json"])
    };
    let all: Vec<_> = (0..PROCESSES).map(start).collect();
    let loaded: Vec<_> = all
        .iter()
        .map(|one| {
            one.line("attached");
            one.line("loaded")
        })
        .collect();
    all.iter().for_each(Running::interrupt);
    for one in all {
        one.end().expect(0);
    }
    for program in &loaded {
        wait_until_gone("prog", number(program, "id"));
        for map in program["map_ids"].as_array().unwrap() {
            wait_until_gone("map", map.as_i64().unwrap());
        }
    }
    figure("processes that load at once", &format!("{PROCESSES}; all attached, nothing left"));
}
