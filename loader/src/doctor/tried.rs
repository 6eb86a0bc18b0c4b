//! The rows about what was really tried, which decides: everything else only explains it.

use nix::errno::Errno;

use super::{Check, Findings, Obstacle};
use crate::privileges::{CAP_NET_RAW, Reason, Refused};
use crate::sys::errno_name;

/// `enum bpf_map_type`.
const ARRAY: u32 = 2;

/// One row an attempt.
pub(super) fn rows(findings: &Findings) -> Vec<Check> {
    let tried = &findings.tried;
    let program = |error| reason(findings, Refused::Program, error);
    let mut rows = vec![
        row("load a program", tried.program, "socket filters can be loaded", program),
        row("create a map", tried.map, "filters can have maps", |error| reason(findings, Refused::Map(ARRAY), error)),
    ];
    rows.push(match tried.attach {
        Some(result) => row("attach it to a socket", result, "filters can be attached", attach_reason),
        None => Check::new("attach it to a socket", "not tried", None, "there was no program"),
    });
    rows.push(row("open a packet socket", tried.packet, "filters can watch an interface", |error| {
        packet_reason(findings, error)
    }));
    rows
}

fn row(name: &'static str, result: Result<(), Errno>, allows: &str, explain: impl FnOnce(Errno) -> Reason) -> Check {
    match result {
        Ok(()) => Check::new(name, "done", Some(true), allows),
        Err(errno) => {
            let Reason { why, hint } = explain(errno);
            Check::new(name, errno_name(errno), Some(false), why).remedy(hint)
        }
    }
}

/// Why bpf(2) refused.
fn reason(findings: &Findings, refused: Refused, errno: Errno) -> Reason {
    match errno {
        Errno::EPERM => findings.privileges.explain_eperm(refused),
        Errno::ENOSYS if findings.privileges.bpf_is_filtered => findings.privileges.explain_eperm(refused),
        // There was nothing to be judged unsafe: it was not the verifier.
        Errno::EACCES => findings.privileges.security_module(),
        Errno::ENOSYS => Reason {
            why: "this kernel has no bpf(2)".to_owned(),
            hint: "a kernel with CONFIG_BPF_SYSCALL=y".to_owned(),
        },
        Errno::ENOMEM => Reason {
            why: "the kernel has not the memory, or the cgroup does not allow it".to_owned(),
            hint: "raise the memory limit of the cgroup".to_owned(),
        },
        _ => Reason { why: errno.desc().to_owned(), hint: "see bpf(2)".to_owned() },
    }
}

fn attach_reason(errno: Errno) -> Reason {
    let (why, hint) = match errno {
        Errno::ENOMEM => ("net.core.optmem_max leaves no room for it", "sudo sysctl net.core.optmem_max=131072"),
        Errno::EPERM | Errno::EACCES => (
            "setsockopt(2) is kept from this process: SO_ATTACH_BPF itself needs no privilege",
            "a security module, a seccomp filter or a BPF program of the cgroup does that: run it outside the container",
        ),
        _ => (errno.desc(), "see socket(7)"),
    };
    Reason { why: why.to_owned(), hint: hint.to_owned() }
}

/// Kernel: `packet_create()`, `net/packet/af_packet.c`, asks for it in the network namespace's own user namespace.
fn packet_reason(findings: &Findings, errno: Errno) -> Reason {
    let privileges = &findings.privileges;
    match errno {
        Errno::EPERM if !privileges.holds(CAP_NET_RAW) => Reason {
            why: "this process has no CAP_NET_RAW; filters on TCP, UDP and UNIX sockets do not need it".to_owned(),
            hint: privileges.how_to_get(CAP_NET_RAW),
        },
        Errno::EPERM if privileges.in_user_namespace => Reason {
            why: "CAP_NET_RAW is held in the user namespace, and the network namespace is not of it".to_owned(),
            hint: "unshare the network namespace too (unshare --net), or run it with sudo on the host".to_owned(),
        },
        Errno::EPERM => privileges.security_module(),
        Errno::EAFNOSUPPORT => Reason {
            why: "this kernel has no packet sockets, or a seccomp filter says so".to_owned(),
            hint: "a kernel with CONFIG_PACKET; run it outside the container".to_owned(),
        },
        _ => Reason { why: errno.desc().to_owned(), hint: "see packet(7)".to_owned() },
    }
}

/// What keeps a socket filter from being loaded and attached; maps and packet sockets are for some filters only.
pub(super) fn obstacle(findings: &Findings) -> Option<Obstacle> {
    let (what, errno, Reason { why, hint }) = match (findings.tried.program, findings.tried.attach) {
        (Err(errno), _) => ("bpf(BPF_PROG_LOAD)", errno, reason(findings, Refused::Program, errno)),
        (Ok(()), Some(Err(errno))) => ("setsockopt(SO_ATTACH_BPF)", errno, attach_reason(errno)),
        (Ok(()), _) => return None,
    };
    let is_filtered = errno == Errno::ENOSYS && findings.privileges.bpf_is_filtered;
    let is_privilege = is_filtered || matches!(errno, Errno::EPERM | Errno::EACCES);
    Some(Obstacle {
        is_privilege,
        why: format!("{what}: {} ({}): {why}", errno.desc(), errno_name(errno)),
        remedy: hint,
    })
}
