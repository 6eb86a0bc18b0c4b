//! What decides about EPERM: what a process is allowed, and which one thing is missing where the kernel refuses it.
//!
//! [`Privileges::running`] reads it; judging it is pure. A refusal has one reason, never a list of guesses: what the
//! kernel looks at first is named first, and what the process has is not blamed.

mod rejection;
mod running;

use std::fmt;

/// A capability, by its number in `include/uapi/linux/capability.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// `CAP_BPF`.
    pub name: &'static str,
    /// The bit of `CapEff`.
    pub number: u32,
}

/// Network administration; sockmaps, devmaps and xskmaps.
pub const CAP_NET_ADMIN: Capability = Capability { name: "CAP_NET_ADMIN", number: 12 };
/// Raw and packet sockets.
pub const CAP_NET_RAW: Capability = Capability { name: "CAP_NET_RAW", number: 13 };
/// Other processes' memory and descriptors.
pub const CAP_SYS_PTRACE: Capability = Capability { name: "CAP_SYS_PTRACE", number: 19 };
/// Everything that has no capability of its own; it includes `CAP_BPF`, `CAP_PERFMON` and, for bpf(2), `CAP_NET_ADMIN`.
pub const CAP_SYS_ADMIN: Capability = Capability { name: "CAP_SYS_ADMIN", number: 21 };
/// The addresses of the kernel's symbols.
pub const CAP_SYSLOG: Capability = Capability { name: "CAP_SYSLOG", number: 34 };
/// Looking into the kernel. Since 5.8.
pub const CAP_PERFMON: Capability = Capability { name: "CAP_PERFMON", number: 38 };
/// bpf(2). Since 5.8.
pub const CAP_BPF: Capability = Capability { name: "CAP_BPF", number: 39 };

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What decides about EPERM, as the process finds it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Privileges {
    /// `CapEff` of `/proc/self/status`.
    pub effective: u64,
    /// `CapBnd`: what the process can ever have, even by way of sudo.
    pub bounding: u64,
    /// `NoNewPrivs`: neither sudo nor file capabilities give it more.
    pub no_new_privs: bool,
    /// Whether it is in a user namespace of its own: the capabilities there do not count for bpf(2).
    pub in_user_namespace: bool,
    /// `kernel.unprivileged_bpf_disabled`: 0 allowed, 1 forbidden until boot, 2 forbidden.
    pub unprivileged_bpf_disabled: Option<u32>,
    /// Whether a seccomp filter is in force (Seccomp of `/proc/self/status` is 2).
    pub seccomp: bool,
    /// Whether a bpf(2) that needs no privilege was refused too (EPERM, ENOSYS), as only a seccomp filter does.
    pub bpf_is_filtered: bool,
    /// The modes of kernel lockdown, the one in force in brackets; `None` where they cannot be read.
    pub lockdown: Option<String>,
    /// The security modules in force, separated by commas; `None` where they cannot be read.
    pub security_modules: Option<String>,
}

/// What the kernel refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// `BPF_PROG_LOAD` of a socket filter.
    Program,
    /// `BPF_MAP_CREATE` of this type.
    Map(u32),
}

/// Why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What is missing or in the way, in one sentence.
    pub why: String,
    /// How to mend it.
    pub hint: String,
}

/// `enum bpf_map_type`: open to everybody, where `kernel.unprivileged_bpf_disabled` is 0: arrays, hashes, their per-CPU and nested
/// kinds, program and perf event arrays, cgroup arrays and storage, ring buffers.
const OPEN_MAPS: [u32; 13] = [1, 2, 3, 4, 5, 6, 8, 12, 13, 19, 21, 27, 31];
/// DEVMAP, SOCKMAP, XSKMAP, SOCKHASH, `DEVMAP_HASH`.
const NET_ADMIN_MAPS: [u32; 5] = [14, 15, 17, 18, 25];

impl Privileges {
    /// Whether it has a capability, for whatever namespace.
    pub fn holds(&self, capability: Capability) -> bool {
        self.effective >> capability.number & 1 == 1
    }

    /// Whether bpf(2) counts it as having this capability.
    ///
    /// Kernel: `bpf_capable()`, `perfmon_capable()`, `include/linux/capability.h`; since 6.9 `bpf_token_capable()`.
    pub fn counts(&self, capability: Capability) -> bool {
        !self.in_user_namespace && (self.holds(capability) || self.holds(CAP_SYS_ADMIN))
    }

    /// Whether the kernel lets a process without capabilities use bpf(2) at all.
    fn is_open(&self) -> bool {
        self.unprivileged_bpf_disabled == Some(0)
    }

    /// The reason for an EPERM of bpf(2).
    ///
    /// Kernel: `map_create()` and `bpf_prog_load()`, `kernel/bpf/syscall.c`, in the order in which they ask.
    pub fn explain_eperm(&self, refused: Refused) -> Reason {
        if self.bpf_is_filtered {
            return Reason {
                why: "a seccomp filter forbids bpf(2), as containers do".to_owned(),
                hint: "run it outside the container, or start that with the capability: docker run --cap-add=BPF"
                    .to_owned(),
            };
        }
        if !self.is_open() && !self.counts(CAP_BPF) {
            let sysctl = self.sysctl();
            let why = format!("{}, and {sysctl}: not allowed without privileges", self.lacks(CAP_BPF));
            return Reason { why, hint: self.how_to_get(CAP_BPF) };
        }
        match (self.needs(refused), refused) {
            (Some(capability), Refused::Map(_)) => Reason {
                why: format!("{}, which this type of map always needs", self.lacks(capability)),
                hint: self.how_to_get(capability),
            },
            (Some(capability), Refused::Program) => Reason {
                why: format!("{}, which a program that calls functions of its own needs", self.lacks(capability)),
                hint: self.how_to_get(capability),
            },
            (None, _) => self.security_module(),
        }
    }

    /// The capability that the kernel asks for even where bpf(2) is open to all, if it is missing.
    fn needs(&self, refused: Refused) -> Option<Capability> {
        let needed = match refused {
            Refused::Program => CAP_BPF,
            Refused::Map(map_type) if NET_ADMIN_MAPS.contains(&map_type) => CAP_NET_ADMIN,
            Refused::Map(map_type) if OPEN_MAPS.contains(&map_type) => return None,
            Refused::Map(_) => CAP_BPF,
        };
        (!self.counts(needed)).then_some(needed)
    }

    /// The reason why `/proc/kallsyms` is full of zeros.
    ///
    /// Kernel: `kallsyms_show_value()`, `kernel/ksyms_common.c`: where `kernel.kptr_restrict` is 0, also by `kernel.perf_event_paranoid`.
    pub fn explain_hidden_address(&self) -> Reason {
        if self.holds(CAP_SYSLOG) && !self.in_user_namespace {
            let why = "CAP_SYSLOG is there: kernel.kptr_restrict is 2, which hides addresses from everybody";
            return Reason { why: why.to_owned(), hint: "sudo sysctl kernel.kptr_restrict=1".to_owned() };
        }
        let why = format!("{}, to which the kernel shows addresses", self.lacks(CAP_SYSLOG));
        Reason { why, hint: self.how_to_get(CAP_SYSLOG) }
    }

    /// The reason for an EPERM or an EACCES that neither a capability nor the verifier explains.
    pub fn security_module(&self) -> Reason {
        let why = match &self.security_modules {
            Some(modules) => format!("the privileges are there: a security module forbids it; in force are {modules}"),
            None => "the privileges are there: a security module forbids it".to_owned(),
        };
        Reason { why, hint: "the system's log says which one: dmesg, journalctl or ausearch -m avc".to_owned() }
    }

    fn sysctl(&self) -> String {
        match self.unprivileged_bpf_disabled {
            Some(value) => format!("kernel.unprivileged_bpf_disabled is {value}"),
            None => "kernel.unprivileged_bpf_disabled cannot be read".to_owned(),
        }
    }

    fn lacks(&self, capability: Capability) -> String {
        if self.in_user_namespace {
            return format!("this process is in a user namespace, where {capability} does not count for bpf(2)");
        }
        format!("this process has no {capability}")
    }

    /// How this process comes by a capability; what cannot help here is not proposed.
    pub fn how_to_get(&self, capability: Capability) -> String {
        let name = capability.name.trim_start_matches("CAP_");
        if self.in_user_namespace {
            return "run it with sudo on the host, outside the user namespace (rootless containers have one)"
                .to_owned();
        }
        if self.bounding >> capability.number & 1 == 0 {
            return format!(
                "sudo cannot give it here, as the bounding set has no {capability}: run it outside the container, or start that \
                 with the capability: docker run --cap-add={name}"
            );
        }
        if self.no_new_privs {
            return "no_new_privs is set, so neither sudo nor setcap can give it: start it from another shell"
                .to_owned();
        }
        let file = capability.name.to_lowercase();
        format!("run it with sudo, or once: sudo setcap {file}+ep on the minibpf binary; or in a virtual machine")
    }
}

#[cfg(test)]
mod tests;
