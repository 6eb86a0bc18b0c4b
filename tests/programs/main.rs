//! The programs of `bpf-src/programs`, each on packets (the scripts of `tests/run/programs`) and on the sockets that it is meant for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../hostile/numbers.rs"]
mod numbers;
#[path = "../support/mod.rs"]
mod support;

mod dispatch;
mod dns_log;
mod hops;
mod http_count;
mod mutants;
mod sni;
mod steer;
mod udp_limit;

use std::collections::BTreeSet;

use support::objects::bpf_src;

/// The names of the files of a folder of the repository that end so, without that end.
fn names(folder: &str, end: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(bpf_src().join("..").join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(end).map(str::to_owned)).collect()
}

#[test]
fn every_program_has_a_page_an_object_and_assertions() {
    let programs = names("bpf-src/programs", ".bpf.c");
    assert!(!programs.is_empty());
    assert_eq!(names("bpf-src/programs", ".bpf.o"), programs, "scripts/build-bpf makes the objects");
    assert_eq!(names("tests/run/programs", ".sh"), programs);
    let pages: BTreeSet<_> =
        names("docs", ".md").iter().filter_map(|page| page.strip_prefix("program-").map(str::to_owned)).collect();
    assert_eq!(pages, programs);
}
