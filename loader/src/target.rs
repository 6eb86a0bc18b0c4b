//! What a plan must know of the kernel it is made for: plain data, read from the running one or stated.

mod pins;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use crate::spec::Spec;
use crate::sys;
use crate::verdict::Privileges;

pub use pins::PinDirError;

const BPF_MAP_TYPE_PERF_EVENT_ARRAY: u32 = 4;

/// A kernel, as far as an object can depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Bytes in a page of memory: ring buffers are whole pages.
    pub page_size: Option<u32>,
    /// CPUs that there may ever be: a perf event array has a slot for each.
    pub possible_cpus: Option<u32>,
    /// The kernel's types, for CO-RE.
    pub btf: TargetBtf,
    /// What exists where pins are wanted, directories included: see [`Target::with_pins`].
    pub pinned: BTreeSet<PathBuf>,
}

/// The kernel's types, if they are known.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum TargetBtf {
    /// They are not, or nothing depends on them.
    #[default]
    None,
    /// BTF, as in `/sys/kernel/btf/vmlinux`.
    Bytes(Vec<u8>),
}

impl fmt::Debug for TargetBtf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
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
        let btf = match needs_btf(spec) {
            true => std::fs::read("/sys/kernel/btf/vmlinux").map_or(TargetBtf::None, TargetBtf::Bytes),
            false => TargetBtf::None,
        };
        Self {
            page_size: page_size(),
            possible_cpus: cpus.and_then(|cpus| u32::try_from(cpus).ok()),
            btf,
            pinned: BTreeSet::new(),
        }
    }
}

/// Whether an instruction depends on the kernel's types. A local type id (kind 6) is the object's own business.
fn needs_btf(spec: &Spec<'_>) -> bool {
    const TYPE_ID_LOCAL: u32 = 6;
    spec.core_relos.values().flatten().any(|record| record.kind != TYPE_ID_LOCAL)
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
