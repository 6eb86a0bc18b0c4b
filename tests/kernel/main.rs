//! minibpf on the real kernel, on loopback alone. Each test goes by the ids of what it loaded itself, so all can run at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod broken;
mod check;
mod core;
mod demo;
mod differences;
mod doctor;
mod dump;
mod dump_prog;
mod dump_watch;
mod events;
mod externs;
mod hooks_foreign;
mod hooks_groups;
mod hooks_own;
mod hooks_table;
mod hostile;
mod least;
mod library;
mod linking;
mod lints;
mod load;
mod matrix;
mod nested;
mod nothing_left;
mod pin;
mod privileges;
mod reuse;
mod run;
mod run_captures;
mod run_expect;
mod run_sockets;
mod set;
mod stall;
mod streams;
mod tables;
