//! `minibpf report` as a command: what it reads and writes, and what it leaves when it fails. What the page does in a browser is tested in
//! `tests/browser`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod contents;
mod folder;
mod sources;
mod written;
