//! Which privilege is missing for bpf(2), in words.

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
mod tests {
    use super::*;

    #[test]
    fn without_cap_bpf_the_sysctl_is_named_with_its_value() {
        let (why, _) = Privileges { unprivileged_bpf_disabled: Some(2), ..Default::default() }.explain_bpf_eperm();
        assert!(why.contains("no CAP_BPF") && why.contains("kernel.unprivileged_bpf_disabled is 2"), "{why}");
    }

    #[test]
    fn with_cap_bpf_the_blame_is_elsewhere() {
        let (why, _) = Privileges { effective: 1 << 39, seccomp: true, ..Default::default() }.explain_bpf_eperm();
        assert!(why.contains("seccomp"), "{why}");
    }
}
