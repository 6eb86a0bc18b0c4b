//! `minibpf explain`: its text and its JSON, held against readable goldens, against the plan of a load, and against the
//! kernel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod goldens;
mod holes;
mod objects;
mod options;
mod referees;

use support::process::{Ran, run};

/// Runs `explain` on an object, for no kernel in particular.
fn explain(path: &str, more: &[&str]) -> Ran {
    run(["explain", path, "--btf", "none"].iter().chain(more))
}
