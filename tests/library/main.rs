//! The crate as other programs use it: its types, its errors, its examples, and a project of its own outside the repository.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod examples;
mod filter;
mod outside;
mod types;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().unwrap().to_owned()
}

/// The bytes of a committed object.
fn object(name: &str) -> Vec<u8> {
    std::fs::read(root().join("bpf-src").join(format!("{name}.bpf.o"))).unwrap()
}
