//! A kernel that fails: every system call of a set of commands made to fail in turn, by strace, with each errno that it could
//! have; or a signal in its place. What a command then says, ends with, and leaves behind is held against what it should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod campaign;
mod expected;
mod inject;
mod limits;
mod mended;
mod scenarios;
mod world;
