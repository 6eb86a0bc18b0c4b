//! `Filter`: the way in one call, and each way in which it ends before its end.

use std::path::Path;

use minibpf::filter::{Filter, FilterError};
use minibpf::link::{Options, PinError, PinOptions, PlanError};
use minibpf::target::PinDirError;
use nix::errno::Errno;

use crate::object;
use crate::support::bpffs::Bpffs;

#[test]
fn a_name_that_is_not_there_is_answered_with_those_that_are() {
    let error = Filter::load(&object("count"), "cuont").unwrap_err();
    let FilterError::Plan(PlanError::UnknownProgram { name, known }) = &error else { panic!("{error:?}") };
    assert_eq!((name.as_str(), known.as_slice()), ("cuont", &["count".to_owned()][..]));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_program_is_loaded_with_its_own_maps_and_lives_on_in_its_socket() {
    let filter = Filter::load(&object("count"), "count").unwrap();
    let names: Vec<_> = filter.maps().map(|map| map.name().to_owned()).collect();
    assert_eq!(names, [".data", ".bss", "ports"]);
    assert!(filter.map("nothing").is_none());
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    filter.program().attach(&socket).unwrap();
    let program = minibpf::kernel::Program::by_id(filter.program().info().unwrap().id).unwrap();
    drop(filter);
    program.detach(&socket).unwrap();
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_refusal_comes_with_its_log_and_what_the_log_means() {
    let error = Filter::with_options(&object("broken/null-check"), &Options::default()).unwrap_err();
    let FilterError::Refused { error, explanation: Some(why) } = error else { panic!("{error:?}") };
    assert_eq!(error.source.errno, Errno::EACCES);
    assert!(error.log.is_some());
    assert!(why.why.is_some() && why.mend.is_some() && why.source.is_some(), "{why:?}");
}

/// The program of an object, pinned in this directory with its maps.
fn pinned(name: &str, dir: &Path) -> Result<Filter, FilterError> {
    let pins = PinOptions { dir: Some(dir.to_owned()), ..PinOptions::default() };
    Filter::with_options(&object(name), &Options { pins, ..Options::default() })
}

#[test]
#[ignore = "needs CAP_BPF, CAP_SYS_ADMIN"]
fn pins_stay_and_those_that_are_there_already_are_seen() {
    let fs = Bpffs::mount();
    let dir = fs.path("x");
    drop(pinned("count", Path::new(&dir)).unwrap());
    drop(pinned("pass", Path::new(&dir)).unwrap());
    let error = pinned("pass", Path::new(&dir)).unwrap_err();
    assert!(matches!(error, FilterError::Plan(PlanError::Pin(PinError::Taken { .. }))), "before the kernel: {error:?}");
    assert_eq!(fs.listing(), ["x", "x/count", "x/maps", "x/maps/_bss", "x/maps/_data", "x/maps/ports", "x/pass"]);
}

#[test]
fn a_directory_that_takes_no_pins_is_an_error_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let error = pinned("count", dir.path()).unwrap_err();
    assert!(matches!(error, FilterError::Pins(PinDirError::NotBpffs { .. })), "{error:?}");
}
