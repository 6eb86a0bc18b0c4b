//! CO-RE: an object against a kernel's types.

use std::sync::{Arc, OnceLock};

use minibpf::elf::Object;
use minibpf::link::Options;
use minibpf::spec::Spec;
use minibpf::sys::vmlinux::Vmlinux;
use minibpf::target::{Target, TargetBtf};

use super::objects::{machine, plan};
use super::types::split;

/// An object whose length the first two bytes tell, then the types of a kernel.
pub(super) fn small(data: &[u8]) {
    let Some((object, types)) = split(data) else { return };
    against(object, &machine(TargetBtf::Bytes(types.to_vec())));
}

/// An object against the types of the running kernel, which are mapped once; without any, against none.
pub(super) fn running(data: &[u8]) {
    static RUNNING: OnceLock<Target> = OnceLock::new();
    let target = RUNNING.get_or_init(|| {
        machine(Vmlinux::open().map_or(TargetBtf::None, |vmlinux| TargetBtf::Running(Arc::new(vmlinux))))
    });
    against(data, target);
}

/// Without records there is nothing that depends on the kernel, and another target has been there already.
fn against(object: &[u8], target: &Target) {
    let Ok(object) = Object::parse(object) else { return };
    let spec = Spec::read(&object);
    if spec.core_relos.is_empty() && spec.externs.iter().next().is_none() {
        return;
    }
    plan(&spec, &Options::default(), target);
}
