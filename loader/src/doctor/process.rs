//! The rows about the process: its namespace, its capabilities, and what stands above them.

use super::Check;
use crate::privileges::{
    CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SYSLOG, Capability, Privileges,
};

/// A capability, and what it is for.
struct Use {
    capability: Capability,
    allows: &'static str,
    /// Whether it counts in a namespace of the process's own as well: the socket's, not the machine's.
    is_of_namespace: bool,
}

/// In the order of what is missed most.
const USES: [Use; 7] = [
    Use { capability: CAP_BPF, allows: "loading programs, creating maps, loading types", is_of_namespace: false },
    Use {
        capability: CAP_NET_RAW,
        allows: "AF_PACKET and raw sockets (a filter on TCP or UDP does not need it)",
        is_of_namespace: true,
    },
    Use {
        capability: CAP_PERFMON,
        allows: "helpers that look into the kernel: bpf_trace_printk, bpf_probe_read_kernel …",
        is_of_namespace: false,
    },
    Use { capability: CAP_NET_ADMIN, allows: "maps of sockets and devices; new tap interfaces", is_of_namespace: true },
    Use {
        capability: CAP_SYS_ADMIN,
        allows: "counting how often a filter runs; mounting a bpffs; CAP_BPF and CAP_PERFMON are part of it",
        is_of_namespace: false,
    },
    Use { capability: CAP_SYS_PTRACE, allows: "sockets of other users' processes", is_of_namespace: true },
    Use {
        capability: CAP_SYSLOG,
        allows: "addresses of kernel symbols, for externs without a type",
        is_of_namespace: false,
    },
];

/// All of them.
pub(super) fn rows(privileges: &Privileges, shows_addresses: bool) -> Vec<Check> {
    let mut rows = vec![namespace(privileges), seccomp(privileges), sysctl(privileges)];
    rows.extend(USES.iter().map(|of| capability(privileges, of, shows_addresses)));
    rows.extend([lockdown(privileges), modules(privileges)]);
    rows
}

fn namespace(privileges: &Privileges) -> Check {
    let (found, means) = if privileges.in_user_namespace {
        ("one of its own", "no capability in it counts for bpf(2)")
    } else {
        ("the first", "capabilities count")
    };
    Check::new("user namespace", found, Some(!privileges.in_user_namespace), means)
        .remedy(privileges.how_to_get(CAP_BPF))
}

fn seccomp(privileges: &Privileges) -> Check {
    let (found, ok, means) = match (privileges.bpf_is_filtered, privileges.seccomp) {
        (true, _) => ("a filter that refuses bpf(2)", Some(false), "nothing can be loaded, whatever the capabilities"),
        (false, true) => ("a filter that lets bpf(2) pass", Some(true), "bpf(2) reaches the kernel"),
        (false, false) => ("no filter", Some(true), "bpf(2) reaches the kernel"),
    };
    Check::new("seccomp", found, ok, means)
        .remedy("run it outside the container, or start that with the capability: docker run --cap-add=BPF")
}

fn sysctl(privileges: &Privileges) -> Check {
    let value = privileges.unprivileged_bpf_disabled;
    let found = value.map_or_else(|| "cannot be read".to_owned(), |value| value.to_string());
    let means = match value {
        Some(0) => "also without CAP_BPF small socket filters and most maps can be loaded",
        Some(1) => "bpf(2) needs CAP_BPF, until the next boot",
        _ => "bpf(2) needs CAP_BPF",
    };
    // A choice of the machine's owner, and a good one: not to be mended.
    Check::new("kernel.unprivileged_bpf_disabled", found, None, means)
}

fn capability(privileges: &Privileges, of: &Use, shows_addresses: bool) -> Check {
    let Use { capability, allows, is_of_namespace } = of;
    let holds = privileges.holds(*capability);
    let is_part = matches!(*capability, CAP_BPF | CAP_PERFMON) && privileges.holds(CAP_SYS_ADMIN);
    let (found, ok) = match (holds, privileges.in_user_namespace) {
        (true, true) if *is_of_namespace => ("held in the user namespace", None),
        (true, true) => ("held, but in the user namespace only", Some(false)),
        (true, false) => ("held", Some(true)),
        (false, false) if is_part => ("held as part of CAP_SYS_ADMIN", Some(true)),
        // The kernel has its own rules for who may see addresses; what it does counts.
        (false, _) if *capability == CAP_SYSLOG && shows_addresses => ("not held, and not needed", Some(true)),
        (false, _) => ("not held", Some(false)),
    };
    Check::new(capability.name, found, ok, *allows).remedy(privileges.how_to_get(*capability))
}

/// Kernel: `bpf_base_func_proto()`, `kernel/bpf/helpers.c`; lockdown takes two helpers away and forbids no load.
fn lockdown(privileges: &Privileges) -> Check {
    let Some(modes) = &privileges.lockdown else {
        let means = "this kernel has none, or securityfs is not mounted";
        return Check::new("lockdown", "cannot be read", None, means);
    };
    let mode = modes.split(['[', ']']).nth(1).unwrap_or(modes).to_owned();
    let is_confidential = mode == "confidentiality";
    let means = if is_confidential {
        "bpf_probe_read_kernel and bpf_probe_read_kernel_str are refused; other filters load"
    } else {
        "it does not touch socket filters"
    };
    Check::new("lockdown", mode, Some(!is_confidential), means).remedy("boot without lockdown=confidentiality")
}

fn modules(privileges: &Privileges) -> Check {
    let found = privileges.security_modules.clone().unwrap_or_else(|| "cannot be read".to_owned());
    Check::new(
        "security modules",
        found,
        None,
        "each may forbid bpf(2) by rules of its own; what was tried above tells",
    )
}
