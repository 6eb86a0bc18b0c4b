//! What the running kernel is set to: its version's rules, and numbers below `/proc` and `/sys`.

use std::fs;

use super::config::running_version;

/// Since 5.19 only `BPF_PROG_LOAD` and `BPF_MAP_CREATE` are closed to the unprivileged.
const ONLY_TWO_CLOSED: u32 = 5 << 16 | 19 << 8;

/// Whether the running kernel asks for `CAP_BPF` at every command of bpf(2), where `kernel.unprivileged_bpf_disabled` is set.
///
/// Kernel: `__sys_bpf()`, `kernel/bpf/syscall.c`.
pub fn every_command_asks() -> bool {
    running_version() < ONLY_TWO_CLOSED
}

/// `net.core.optmem_max`: how many bytes a socket may hold beside its packets, its filter among them.
pub fn optmem_max() -> Option<u64> {
    number("/proc/sys/net/core/optmem_max")
}

/// A file of a line or a few; `None` where it cannot be read.
pub(crate) fn text(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// A file that is a number.
pub(crate) fn number<T: std::str::FromStr>(path: &str) -> Option<T> {
    text(path)?.parse().ok()
}
