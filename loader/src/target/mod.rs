//! What a plan must know of the kernel it is made for: plain data, read from the running one or stated.

mod btf;
mod config;
mod pins;
mod settings;
mod symbols;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::spec::{ExternKind, Spec};
use crate::sys;

pub use btf::{BtfFileError, TargetBtf};
pub use pins::PinDirError;
pub use settings::{every_command_asks, optmem_max};

pub(crate) use config::{running_version, source as config_source};
pub(crate) use settings::{number, text};

const BPF_MAP_TYPE_PERF_EVENT_ARRAY: u32 = 4;

/// A kernel, as far as an object can depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Whether it is a little-endian machine, which cannot run big-endian objects; `false` of none in particular.
    pub is_little_endian: bool,
    /// Bytes in a page of memory: ring buffers are whole pages.
    pub page_size: Option<u32>,
    /// CPUs that there may ever be: a perf event array has a slot for each.
    pub possible_cpus: Option<u32>,
    /// The kernel's types, for CO-RE and typed externs.
    pub btf: TargetBtf,
    /// The kernel's configuration, for the externs of `.kconfig`.
    pub config: Option<Config>,
    /// The addresses of the symbols that the object asks for, those that are there; a name may have several.
    pub symbols: Option<BTreeMap<String, Vec<u64>>>,
    /// What exists where pins are wanted, directories included: see [`Target::with_pins`].
    pub pinned: BTreeSet<PathBuf>,
}

/// What a kernel says of how it was built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// `KERNEL_VERSION(a, b, c)`: a in bits 16 and up, b in bits 8 to 15, c in bits 0 to 7.
    pub version: u32,
    /// Whether system calls take their arguments by way of `struct pt_regs` (`__x64_sys_bpf` and its like).
    pub has_syscall_wrapper: bool,
    /// The options that are set, with their values as written: `y`, `m`, `1000`, `"text"`.
    pub options: BTreeMap<String, String>,
    /// Where they were read, or why they were not.
    pub source: String,
}

impl Target {
    /// No kernel in particular. A plan made for it shows the object's own numbers where a kernel's would be needed.
    pub fn none() -> Self {
        Self::default()
    }

    /// The running kernel, as far as the object depends on it: what it does not ask for is not read.
    pub fn running(spec: &Spec<'_>) -> Self {
        Self {
            btf: if needs_btf(spec) { TargetBtf::running() } else { TargetBtf::None },
            ..Self::running_but_btf(spec)
        }
    }

    /// The running kernel, but for its types.
    pub fn running_but_btf(spec: &Spec<'_>) -> Self {
        let has_perf_events = spec.maps.iter().any(|map| map.attr.map_type == BPF_MAP_TYPE_PERF_EVENT_ARRAY);
        let cpus = has_perf_events.then(sys::possible_cpus).and_then(Result::ok);
        let asks = |wanted: fn(&ExternKind) -> bool| spec.externs.iter().any(|external| wanted(&external.kind));
        let addresses = spec.externs.iter().filter(|external| external.kind == ExternKind::Variable { ty: 0 });
        let addresses: Vec<_> = addresses.map(|external| external.name.as_str()).collect();
        Self {
            is_little_endian: cfg!(target_endian = "little"),
            page_size: page_size(),
            possible_cpus: cpus.and_then(|cpus| u32::try_from(cpus).ok()),
            btf: TargetBtf::None,
            config: asks(|kind| matches!(kind, ExternKind::Config { .. })).then(|| config::running(spec)),
            symbols: if addresses.is_empty() { None } else { symbols::addresses(&addresses) },
            pinned: BTreeSet::new(),
        }
    }
}

/// Whether an instruction depends on the kernel's types. A local type id (kind 6) is the object's own business.
fn needs_btf(spec: &Spec<'_>) -> bool {
    const TYPE_ID_LOCAL: u32 = 6;
    let typed = |kind: &ExternKind| matches!(kind, ExternKind::Variable { ty: 1.. } | ExternKind::Function { .. });
    spec.core_relos.values().flatten().any(|record| record.kind != TYPE_ID_LOCAL)
        || spec.externs.iter().any(|external| typed(&external.kind))
}

/// Bytes in a page of memory.
pub fn page_size() -> Option<u32> {
    let page_size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    page_size.and_then(|size| u32::try_from(size).ok())
}

#[cfg(test)]
mod tests;
