//! What is done with bytes that an enemy has chosen: for each way into minibpf a function that takes it to its end, and claims what must hold
//! there. The fuzzers run them under libFuzzer, the test target `hostile` over the kept inputs and over mutants of its own.

pub mod claims;
mod kernel;
mod objects;
mod texts;
mod types;

/// A way into minibpf.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Whether its input is an object file.
    pub takes_objects: bool,
}

const fn of_object(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, takes_objects: true }
}

const fn other(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, takes_objects: false }
}

/// All of them, in the order in which bytes come in.
pub const ALL: [Target; 11] = [
    of_object("object", objects::object),
    other("btf", types::btf),
    other("btf_ext", types::ext),
    of_object("link", objects::link),
    other("core", kernel::small),
    of_object("core_vmlinux", kernel::running),
    of_object("explain", objects::explain),
    of_object("report", objects::report),
    other("verifier_log", texts::verifier_log),
    other("pcap", texts::pcap),
    other("run_json", texts::run_json),
];

/// Bytes of memory that no input of a few thousand bytes may make a target hold.
const MOST: u64 = 64 << 20;

/// The target of this name.
pub fn named(name: &str) -> Option<Target> {
    ALL.into_iter().find(|target| target.name == name)
}

/// Runs a target, and claims that it did not hold more memory than it may.
pub fn bounded(target: Target, data: &[u8]) {
    let held = allocation_counter::measure(|| (target.run)(data)).bytes_max;
    assert!(held <= MOST, "{}: held {held} bytes for an input of {}, at most {MOST}", target.name, data.len());
}
