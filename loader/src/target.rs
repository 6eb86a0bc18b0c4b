//! What a plan must know of the kernel it is made for: plain data, read from the running one or stated.

use crate::spec::Spec;
use crate::sys;
use crate::verdict::Privileges;

const BPF_MAP_TYPE_PERF_EVENT_ARRAY: u32 = 4;

/// A kernel, as far as an object can depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Bytes in a page of memory: ring buffers are whole pages.
    pub page_size: Option<u32>,
    /// CPUs that there may ever be: a perf event array has a slot for each.
    pub possible_cpus: Option<u32>,
}

impl Target {
    /// No kernel in particular. A plan made for it shows the object's own numbers where a kernel's would be needed.
    pub fn none() -> Self {
        Self::default()
    }

    /// The running kernel, as far as the object depends on it: what it does not ask for is not read.
    pub fn running(spec: &Spec<'_>) -> Self {
        let has_perf_events = spec.maps.iter().any(|map| map.attr.map_type == BPF_MAP_TYPE_PERF_EVENT_ARRAY);
        let cpus = has_perf_events.then(sys::possible_cpus).and_then(Result::ok);
        Self { page_size: page_size(), possible_cpus: cpus.and_then(|cpus| u32::try_from(cpus).ok()) }
    }
}

/// Bytes in a page of memory.
pub fn page_size() -> Option<u32> {
    let page_size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    page_size.and_then(|size| u32::try_from(size).ok())
}

/// Reads what decides about EPERM for this process; what cannot be read counts as absent.
pub fn privileges() -> Privileges {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let sysctl = std::fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled");
    Privileges {
        effective: field("CapEff:").and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0),
        unprivileged_bpf_disabled: sysctl.ok().and_then(|value| value.trim().parse().ok()),
        seccomp: field("Seccomp:") == Some("2"),
    }
}
