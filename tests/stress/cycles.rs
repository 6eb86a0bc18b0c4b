//! Attached and detached, loaded and freed, again and again.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::process::id;

use minibpf::elf::Object;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::plan::Plan;
use minibpf::spec::Spec;
use minibpf::target::Target;

use crate::memory::{SLACK, descriptors, kernel, resident};
use crate::support::bpffs::Bpffs;
use crate::support::objects::object;
use crate::support::process::run;
use crate::{alone, figure, scale};

/// Kilobytes of kernel memory that others on the machine may take meanwhile. A leak of one page a time would be ten times that.
const OTHERS: u64 = 4 << 10;

/// Loads `count`.
fn load() -> Kernel {
    let bytes = std::fs::read(object("count")).unwrap();
    let object = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec)).unwrap();
    Kernel::load(&plan).unwrap()
}

/// Does something so often, and holds what this process and the kernel have before and after against one another.
fn repeat(what: &str, times: u32, mut once: impl FnMut()) {
    // What is made once is made before.
    (0..100).for_each(|_| once());
    let before = (descriptors(id()), resident(id()), kernel());
    (0..times).for_each(|_| once());
    let after = (descriptors(id()), resident(id()), kernel());
    assert_eq!(after.0, before.0, "descriptors");
    assert!(after.1 <= before.1 + SLACK, "{what}: resident memory grew from {} kB to {} kB", before.1, after.1);
    // Freed after a grace period, so asked for until it has been.
    let limit = before.2 + OTHERS + u64::from(times) / 10;
    crate::support::wait_for("the kernel to free what is no longer held", crate::support::PATIENCE, || {
        (kernel() <= limit).then_some(())
    });
    let grown = kernel().saturating_sub(before.2);
    figure(
        what,
        &format!(
            "{times} times; descriptors 0 more, resident memory {} kB more, kernel memory of the machine {grown} kB more",
            after.1.saturating_sub(before.1)
        ),
    );
}

/// One test, so that nothing else of this process grows meanwhile.
#[test]
#[ignore = "needs CAP_BPF"]
fn neither_attaching_nor_loading_again_and_again_grows_anything() {
    let _alone = alone();
    let kernel = load();
    let program = kernel.program_named("count").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    repeat("attach and detach, by the library", scale(1_000, 10_000), || {
        program.attach(&socket).unwrap();
        program.detach(&socket).unwrap();
    });
    repeat("load, attach and free, by the library", scale(200, 10_000), || {
        let kernel = load();
        kernel.program_named("count").unwrap().attach(&socket).unwrap();
        kernel.program_named("count").unwrap().detach(&socket).unwrap();
    });
    let fs = Bpffs::mount();
    run(["check", &object("count"), "--pin", &fs.path("count")]).expect(0);
    let (pin, at) = (fs.path("count/count"), format!("pid:{}:{}", id(), socket.as_raw_fd()));
    repeat("`minibpf attach` and `minibpf detach`, two processes each time", scale(20, 1_000), || {
        run(["attach", &pin, "--attach", &at]).expect(0);
        run(["detach", "--attach", &at]).expect(0);
    });
}
