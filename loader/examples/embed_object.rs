//! Carries an object within the program: no file to install, none to lose. What is in it can be said without a kernel, and so without privileges;
//! where the kernel refuses it, the program says why.
//!
//! ```text
//! cargo run --example embed_object
//! ```

use std::error::Error;

use minibpf::elf::Object;
use minibpf::filter::{Filter, FilterError};
use minibpf::kernel::Map;
use minibpf::link::Options;
use minibpf::plan::Plan;
use minibpf::privileges::{Privileges, Refused};
use minibpf::spec::Spec;
use minibpf::target::Target;
use nix::errno::Errno;

/// The bytes may lie anywhere: no alignment is needed.
const OBJECT: &[u8] = include_bytes!("../src/bpf/count.bpf.o");

fn main() -> Result<(), Box<dyn Error>> {
    // The pure half: bytes in, a plan out. No file, no descriptor.
    let object = Object::parse(OBJECT)?;
    let plan = Plan::new(&Spec::read(&object), &Options::default(), &Target::none())?;
    for program in plan.prog_loads() {
        println!(
            "{}: {} instructions, {} of them to be patched",
            program.name,
            program.insns.len(),
            program.patches.len()
        );
    }

    // The other half: the kernel's answer.
    match Filter::load(OBJECT, "count") {
        Ok(filter) => println!("loaded, with the maps {:?}", filter.maps().map(Map::name).collect::<Vec<_>>()),
        Err(FilterError::Refused { error, .. }) if error.source.errno == Errno::EPERM => {
            println!("{error}: {}", Privileges::running().explain_eperm(Refused::Program).why);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
