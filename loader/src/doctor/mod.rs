//! What a kernel and the privileges of a process allow: findings judged, one row each.
//!
//! [`Findings::running`] looks and tries; [`examine`] is pure and says what it means. The rows stand in the order in which things
//! are to be mended: what keeps a filter from being loaded comes before what only some filters need.

mod findings;
mod process;
mod system;
mod tried;

use nix::errno::Errno;
use serde::Serialize;

use crate::privileges::Privileges;

/// What was looked at and tried, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// The release as uname(2) gives it.
    pub release: String,
    /// `KERNEL_VERSION(a, b, c)`.
    pub version: u32,
    /// What the process is allowed.
    pub privileges: Privileges,
    /// What became of real attempts.
    pub tried: Tried,
    /// The soft limit of `RLIMIT_MEMLOCK`: bytes, or `unlimited`.
    pub memlock: Option<String>,
    /// `net.core.bpf_jit_enable`: 0 off, 1 on, 2 on with a dump to the kernel's log.
    pub jit: Option<u32>,
    /// Whether `/sys/kernel/btf/vmlinux` can be read.
    pub btf: bool,
    /// Where a bpffs is mounted.
    pub bpffs: Vec<String>,
    /// `net.core.optmem_max`: bytes.
    pub optmem_max: Option<u64>,
    /// Where the kernel's configuration can be read.
    pub config: Option<String>,
    /// Whether `/proc/kallsyms` shows addresses.
    pub addresses: bool,
}

/// The outcome of each attempt; nothing of them is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// `BPF_MAP_CREATE` of an array of one entry.
    pub map: Result<(), Errno>,
    /// `BPF_PROG_LOAD` of `r0 = 0; exit`.
    pub program: Result<(), Errno>,
    /// `SO_ATTACH_BPF` of that on a socket of its own; `None` without a program.
    pub attach: Option<Result<(), Errno>>,
    /// An `AF_PACKET` socket with protocol 0, which receives nothing.
    pub packet: Result<(), Errno>,
}

impl Default for Tried {
    fn default() -> Self {
        Self { map: Ok(()), program: Ok(()), attach: Some(Ok(())), packet: Ok(()) }
    }
}

/// One row of the examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub found: String,
    /// Whether it is as it should be; `None` where that does not matter or cannot be known.
    pub ok: Option<bool>,
    /// What it allows or prevents.
    pub means: String,
    /// How to mend it, where something is missing.
    pub remedy: Option<String>,
}

impl Check {
    fn new(name: &'static str, found: impl Into<String>, ok: Option<bool>, means: impl Into<String>) -> Self {
        Self { name, found: found.into(), ok, means: means.into(), remedy: None }
    }

    /// The remedy; none is wanted where nothing is missing.
    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = (self.ok == Some(false)).then(|| remedy.into());
        self
    }
}

/// What keeps a socket filter from being loaded and attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Whether a privilege would change it.
    pub is_privilege: bool,
    /// Which attempt failed, and why.
    pub why: String,
    /// How to mend it.
    pub remedy: String,
}

/// The result of the examination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The rows.
    pub checks: Vec<Check>,
    /// `None` where a socket filter can be loaded and attached.
    pub obstacle: Option<Obstacle>,
}

/// Judges the findings.
pub fn examine(findings: &Findings) -> Diagnosis {
    let mut checks = vec![system::kernel(findings)];
    checks.extend(tried::rows(findings));
    checks.extend(process::rows(&findings.privileges, findings.addresses));
    checks.extend(system::rows(findings));
    Diagnosis { checks, obstacle: tried::obstacle(findings) }
}

/// `KERNEL_VERSION(a, b, 0)`.
const fn version(major: u32, minor: u32) -> u32 {
    major << 16 | minor << 8
}

#[cfg(test)]
mod tests;
