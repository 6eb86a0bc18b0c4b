//! What the running process is allowed, read from the kernel.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use nix::errno::Errno;

use super::{CAP_BPF, Privileges};
use crate::sys::bpf;
use crate::target::{every_command_asks, number, text};

/// The inode of the first user namespace: `PROC_USER_INIT_INO`, `include/linux/proc_ns.h`.
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

impl Privileges {
    /// Reads what decides about EPERM for this process; what cannot be read counts as absent.
    pub fn running() -> Self {
        let status = text("/proc/self/status").unwrap_or_default();
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let bits = |name: &str| field(name).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let namespace = fs::metadata("/proc/self/ns/user").map(|file| file.ino());
        let mut privileges = Self {
            effective: bits("CapEff:").unwrap_or(0),
            bounding: bits("CapBnd:").unwrap_or(u64::MAX),
            no_new_privs: field("NoNewPrivs:") == Some("1"),
            in_user_namespace: namespace.is_ok_and(|inode| inode != FIRST_USER_NAMESPACE),
            unprivileged_bpf_disabled: number("/proc/sys/kernel/unprivileged_bpf_disabled"),
            seccomp: field("Seccomp:") == Some("2"),
            bpf_is_filtered: false,
            lockdown: text("/sys/kernel/security/lockdown"),
            security_modules: text("/sys/kernel/security/lsm"),
        };
        let asks_privilege = every_command_asks() && !privileges.counts(CAP_BPF);
        privileges.bpf_is_filtered = privileges.seccomp && !asks_privilege && bpf_is_refused();
        privileges
    }
}

/// Whether even a bpf(2) is refused that anybody may call. On a descriptor that is no program the kernel itself says EINVAL.
fn bpf_is_refused() -> bool {
    let Ok(null) = fs::File::open("/dev/null") else { return false };
    let refusals = [Errno::EPERM, Errno::EACCES, Errno::ENOSYS];
    matches!(bpf::prog_info(null.as_fd()), Err(error) if refusals.contains(&error.errno))
}
