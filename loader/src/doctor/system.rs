//! The rows about the kernel: how it was built and set up.

use super::{Check, Findings, version};

/// The oldest kernel that minibpf is made for.
const OLDEST: u32 = version(5, 8);
/// From here on the memory of maps and programs is charged to the cgroup, not to `RLIMIT_MEMLOCK`.
const CHARGED_TO_CGROUP: u32 = version(5, 11);

/// So many mounts of a bpffs are named.
const SHOWN: usize = 2;

/// The version.
pub(super) fn kernel(findings: &Findings) -> Check {
    let found = format!("Linux {}", findings.release);
    let is_supported = findings.version >= OLDEST;
    let means = if is_supported { "supported: 5.8 and newer" } else { "older than 5.8: minibpf is not tested there" };
    Check::new("kernel", found, Some(is_supported), means).remedy("a newer kernel, for instance in a virtual machine")
}

/// Everything else.
pub(super) fn rows(findings: &Findings) -> Vec<Check> {
    let mut rows = Vec::new();
    rows.extend((findings.version < CHARGED_TO_CGROUP).then(|| memlock(findings)));
    rows.extend([jit(findings), optmem(findings), btf(findings), bpffs(findings), config(findings)]);
    rows
}

/// Before 5.11 only: see `bpf_map_charge_init()`, `kernel/bpf/syscall.c` of 5.10.
fn memlock(findings: &Findings) -> Check {
    let found = findings.memlock.clone().unwrap_or_else(|| "cannot be read".to_owned());
    let is_unlimited = found == "unlimited";
    let means = if is_unlimited {
        "maps and programs of any size"
    } else {
        "before 5.11 maps and programs are charged to it: beyond it bpf(2) says EPERM"
    };
    Check::new("RLIMIT_MEMLOCK", found, Some(is_unlimited), means).remedy("ulimit -l unlimited")
}

fn jit(findings: &Findings) -> Check {
    let (found, ok, means) = match findings.jit {
        None => (
            "cannot be read".to_owned(),
            None,
            "whether programs are compiled; shown in the first network namespace only, by old kernels to root alone",
        ),
        Some(0) => ("0".to_owned(), Some(false), "programs are interpreted: slower, and those with kfuncs are refused"),
        Some(value) => (value.to_string(), Some(true), "programs are compiled to machine code"),
    };
    Check::new("net.core.bpf_jit_enable", found, ok, means).remedy("sudo sysctl net.core.bpf_jit_enable=1")
}

/// Kernel: `__sk_filter_charge()`, `net/core/filter.c`.
fn optmem(findings: &Findings) -> Check {
    let Some(bytes) = findings.optmem_max else {
        let means = "the largest filter that one socket takes; not shown in this network namespace";
        return Check::new("net.core.optmem_max", "cannot be read", None, means);
    };
    let means = format!("one socket takes a filter of up to some {} slots", bytes / 8);
    Check::new("net.core.optmem_max", format!("{bytes} bytes"), Some(true), means)
}

fn btf(findings: &Findings) -> Check {
    let (found, means) = if findings.btf {
        ("/sys/kernel/btf/vmlinux", "CO-RE, kfuncs and typed externs can be resolved")
    } else {
        ("cannot be read", "CO-RE, kfuncs and typed externs stay unresolved; other filters do not need it")
    };
    Check::new("kernel types (BTF)", found, Some(findings.btf), means)
        .remedy("for CO-RE: --btf FILE with the types of this kernel, or a kernel with CONFIG_DEBUG_INFO_BTF=y")
}

fn bpffs(findings: &Findings) -> Check {
    let (found, means) = match findings.bpffs.as_slice() {
        [] => ("not mounted".to_owned(), "--pin and --map have no place"),
        mounts => (few(mounts), "programs and maps can be pinned there, with the rights that its directory asks for"),
    };
    Check::new("bpffs", found, Some(!findings.bpffs.is_empty()), means).remedy("sudo mount -t bpf bpf /sys/fs/bpf")
}

/// The first ones: a machine with containers has one for each, and a row is to fit a line.
fn few(mounts: &[String]) -> String {
    let shown = mounts.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match mounts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn config(findings: &Findings) -> Check {
    let (found, means) = match &findings.config {
        Some(source) => (source.clone(), "externs of .kconfig get their values"),
        None => ("cannot be read".to_owned(), "externs CONFIG_… of .kconfig stay unresolved"),
    };
    Check::new("kernel configuration", found, Some(findings.config.is_some()), means)
        .remedy("for externs CONFIG_…: a kernel with CONFIG_IKCONFIG_PROC=y, or /boot/config-RELEASE")
}
