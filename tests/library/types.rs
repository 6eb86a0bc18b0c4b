//! What a program with threads, and with errors of its own, asks of the types.

use std::error::Error;

use minibpf::btf::BtfError;
use minibpf::btf::encode::EncodeError;
use minibpf::elf::ElfError;
use minibpf::filter::{Filter, FilterError};
use minibpf::kernel::{Kernel, KernelError, Map, Program};
use minibpf::link::{Options, PlanError};
use minibpf::observe::events::{Consumer, EventsError};
use minibpf::packet::PacketError;
use minibpf::plan::{LinkError, Plan};
use minibpf::spec::{Spec, SpecError};
use minibpf::sys::SysError;
use minibpf::target::Target;

const fn crosses_threads<T: Send + Sync>() {}
const fn is_an_error<T: Error + Clone + Send + Sync + 'static>() {}

// Looked at when this file is compiled.
const _: () = {
    crosses_threads::<minibpf::elf::Object<'_>>();
    crosses_threads::<Spec<'_>>();
    crosses_threads::<Options>();
    crosses_threads::<Target>();
    crosses_threads::<Plan>();
    crosses_threads::<Kernel>();
    crosses_threads::<Program>();
    crosses_threads::<Map>();
    crosses_threads::<Filter>();
    crosses_threads::<Consumer<'_>>();
    is_an_error::<ElfError>();
    is_an_error::<BtfError>();
    is_an_error::<SpecError>();
    is_an_error::<LinkError>();
    is_an_error::<PlanError>();
    is_an_error::<KernelError>();
    is_an_error::<SysError>();
    is_an_error::<EventsError>();
    is_an_error::<FilterError>();
    is_an_error::<PacketError>();
    is_an_error::<EncodeError>();
};

#[test]
fn the_error_of_a_stage_is_passed_on_in_its_own_words() {
    let refused = Filter::load(b"no object", "p").unwrap_err();
    let FilterError::Object(error) = &refused else { panic!("{refused:?}") };
    assert_eq!(refused.to_string(), error.to_string());
}
