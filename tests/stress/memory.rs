//! What a process and the kernel hold, by /proc.

use std::fs;

/// Kilobytes that may come and go without anything having grown: allocators keep what they had.
pub(crate) const SLACK: u64 = 1024;

fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {path}"));
    line.split_ascii_whitespace().next().unwrap().parse().unwrap()
}

/// Kilobytes of a process that are in memory.
pub(crate) fn resident(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/status"), "VmRSS:")
}

/// Descriptors that a process has open.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Kilobytes that the kernel cannot give back: of the whole machine, so other processes count, too.
pub(crate) fn kernel() -> u64 {
    ["SUnreclaim:", "VmallocUsed:", "Percpu:"].iter().map(|name| field("/proc/meminfo", name)).sum()
}
