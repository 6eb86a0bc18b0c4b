//! The fuzzers' targets, by name.

pub mod targets;

/// Runs a target once, within its bounds.
pub fn run(target: &str, data: &[u8]) {
    let target = targets::named(target).unwrap_or_else(|| panic!("no target `{target}`"));
    targets::bounded(target, data);
}
