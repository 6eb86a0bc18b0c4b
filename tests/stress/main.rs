//! Under load: many sockets, many processes, many packets, many attachments. Short here; `scripts/stress` sets `MINIBPF_STRESS=full`, and
//! makes the table of docs/trust-kernel.md of the figures that are printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod cycles;
mod memory;
mod packets;
mod parallel;

/// They measure their own process, and load the machine: one at a time.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    // Another one's failure is not this one's.
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// How much: little in the tests, all of it in the script.
fn scale(short: u32, full: u32) -> u32 {
    if std::env::var_os("MINIBPF_STRESS").is_some_and(|value| value == "full") { full } else { short }
}

/// A line of the table.
fn figure(what: &str, found: &str) {
    eprintln!("figure: | {what} | {found} |");
}
