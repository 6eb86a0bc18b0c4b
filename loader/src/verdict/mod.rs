//! Why the kernel said no, in words: the verifier's log read, and missing privileges named.

use crate::insn::Insn;
use crate::plan::{Extern, PatchKind, ProgLoad};

/// What a verifier's log comes down to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The decisive line: the last one before the statistics.
    pub reason: String,
    /// The last instruction that was looked at, as the log prints it.
    pub insn: Option<String>,
    /// The source line that it came from, as the log prints it.
    pub source: Option<String>,
}

/// Lines that follow the reason and do not explain it.
const STATISTICS: [&str; 4] = ["processed ", "verification time ", "stack depth ", "mark_precise"];

/// Reads a log. The text is for people and changes between kernels; nothing but what is printed depends on it.
pub fn read_log(log: &str) -> Verdict {
    let lines: Vec<_> = log.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let is_statistics = |line: &&&str| STATISTICS.iter().any(|start| line.starts_with(start));
    let before: Vec<_> = lines.iter().filter(|line| !is_statistics(line)).collect();
    let is_insn = |line: &str| {
        line.split_once(": (")
            .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    Verdict {
        reason: before.last().map(|line| (**line).to_owned()).unwrap_or_default(),
        insn: before.iter().rev().find(|line| is_insn(line)).map(|line| (**line).to_owned()),
        source: before.iter().rev().find_map(|line| line.strip_prefix("; ")).map(str::to_owned),
    }
}

impl Verdict {
    /// The relocation that the verifier met: a part of a type, or a function, that the kernel does not have, and that the
    /// program goes on to use. The log knows only the helper that does not exist.
    pub fn missing_in_kernel<'a>(&self, program: &'a ProgLoad) -> Option<&'a str> {
        let number: usize = self.insn.as_ref()?.split(':').next()?.parse().ok()?;
        let patch = program.patches.iter().find(|patch| patch.insn == number)?;
        let poisoned = match patch.kind {
            PatchKind::Core { first, .. } => first.code == Insn::CALL,
            PatchKind::Extern(external) => matches!(external, Extern::MissingKfunc { .. }),
            _ => false,
        };
        poisoned.then_some(patch.symbol.as_str())
    }
}

/// What decides about EPERM, as the process finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privileges {
    /// CapEff of `/proc/self/status`.
    pub effective: u64,
    /// `kernel.unprivileged_bpf_disabled`: 0 allowed, 1 forbidden until boot, 2 forbidden.
    pub unprivileged_bpf_disabled: Option<u32>,
    /// Whether a seccomp filter is in force (Seccomp of `/proc/self/status` is 2).
    pub seccomp: bool,
}

const CAP_SYS_ADMIN: u32 = 21;
const CAP_BPF: u32 = 39;

impl Privileges {
    fn has(&self, capability: u32) -> bool {
        self.effective >> capability & 1 == 1
    }

    /// What is missing for bpf(2), in one sentence, and what to do about it, in another.
    pub fn explain_bpf_eperm(&self) -> (String, String) {
        if self.has(CAP_BPF) || self.has(CAP_SYS_ADMIN) {
            let why = if self.seccomp {
                "CAP_BPF is there, but a seccomp filter is in force: containers often forbid bpf(2)"
            } else {
                "CAP_BPF is there: kernel lockdown, a security module, or a user namespace (capabilities in it do not count) forbids bpf(2)"
            };
            return (why.to_owned(), "run it on the host, outside the container".to_owned());
        }
        let sysctl = match self.unprivileged_bpf_disabled {
            Some(value) => format!("kernel.unprivileged_bpf_disabled is {value}"),
            None => "kernel.unprivileged_bpf_disabled cannot be read".to_owned(),
        };
        let why = format!("this process has no CAP_BPF, and {sysctl}: not allowed without privileges");
        let hint = "run it with sudo, or once: sudo setcap cap_bpf+ep on the minibpf binary; or in a virtual machine";
        (why, hint.to_owned())
    }
}

#[cfg(test)]
mod tests;
