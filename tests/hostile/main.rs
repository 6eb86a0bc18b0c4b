//! What an enemy may give minibpf: files cut short, changed, made by hand to be large, deep or endless. None makes it panic, loop, take memory that
//! the file does not justify, or fail without saying where.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "in tests a panic is the report; the fuzzers include the targets too"
)]

mod binary;
mod bounds;
mod committed;
mod elf;
mod fields;
mod kept_inputs;
mod measured;
mod mutations;
mod numbers;
mod readers;
mod regressions;
mod size;
#[path = "../fuzz/src/targets/mod.rs"]
mod targets;
mod truncations;
