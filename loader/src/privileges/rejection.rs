//! Refusals by the verifier that a capability would turn into a yes, though their errno is EACCES or EINVAL.

use super::{CAP_PERFMON, Privileges, Reason};
use crate::uapi::Helper;

/// What the log says of a helper that this program does not get; the second is that of older kernels.
const NO_HELPER: [&str; 2] = ["cannot use helper bpf_", "unknown func bpf_"];

/// Refused by lockdown=confidentiality. Kernel: `bpf_base_func_proto()`, `kernel/bpf/helpers.c`.
const LOCKED_DOWN: [&str; 2] = ["probe_read_kernel", "probe_read_kernel_str"];

/// What only `CAP_PERFMON` allows besides helpers: to show where the kernel keeps things.
///
/// Kernel: the uses of `env->allow_ptr_leaks`, `kernel/bpf/verifier.c`.
const LEAKS: [&str; 3] = ["leaks addr", "pointer comparison prohibited", "partial copy of pointer"];

impl Privileges {
    /// The privilege that the verifier's reason is about; `None` if it is about the program.
    pub fn explain_rejection(&self, reason: &str) -> Option<Reason> {
        if let Some(name) = helper_in(reason) {
            return self.explain_helper(name);
        }
        let leaks = LEAKS.iter().any(|words| reason.contains(words));
        (leaks && !self.counts(CAP_PERFMON)).then(|| self.lacks_perfmon("what shows an address of the kernel needs"))
    }

    fn explain_helper(&self, name: &str) -> Option<Reason> {
        let helper = Helper::named(&format!("bpf_{name}"))?;
        if helper.needs_perfmon() && !self.counts(CAP_PERFMON) {
            return Some(self.lacks_perfmon(&format!("bpf_{name} needs")));
        }
        let is_locked = self.lockdown.as_ref().is_some_and(|modes| modes.contains("[confidentiality]"));
        (is_locked && LOCKED_DOWN.contains(&name)).then(|| Reason {
            why: format!("the kernel is locked down (confidentiality), which forbids bpf_{name}"),
            hint: "boot without lockdown=confidentiality, or do without this helper".to_owned(),
        })
    }

    fn lacks_perfmon(&self, needs: &str) -> Reason {
        Reason { why: format!("{}, which {needs}", self.lacks(CAP_PERFMON)), hint: self.how_to_get(CAP_PERFMON) }
    }
}

/// The helper that a refusal names, without `bpf_`.
fn helper_in(reason: &str) -> Option<&str> {
    let rest = NO_HELPER.iter().find_map(|words| reason.split_once(words))?.1;
    rest.split('#').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privileges::CAP_BPF;

    const TRACE: &str = "program of this type cannot use helper bpf_trace_printk#6";

    fn with_cap_bpf() -> Privileges {
        Privileges { effective: 1 << CAP_BPF.number, bounding: u64::MAX, ..Privileges::default() }
    }

    #[test]
    fn a_helper_that_needs_cap_perfmon_is_told_from_one_of_another_type() {
        for reason in [TRACE, "unknown func bpf_trace_printk#6"] {
            let found = with_cap_bpf().explain_rejection(reason).expect("CAP_PERFMON is missing");
            assert!(found.why.contains("no CAP_PERFMON") && found.why.contains("bpf_trace_printk"), "{found:?}");
        }
        assert_eq!(with_cap_bpf().explain_rejection("program of this type cannot use helper bpf_redirect#23"), None);
        assert_eq!(Privileges { effective: u64::MAX, ..with_cap_bpf() }.explain_rejection(TRACE), None);
    }

    #[test]
    fn lockdown_is_blamed_for_the_two_helpers_that_it_forbids() {
        let locked = Some("none integrity [confidentiality]".to_owned());
        let root = Privileges { effective: u64::MAX, lockdown: locked, ..with_cap_bpf() };
        let reason = "program of this type cannot use helper bpf_probe_read_kernel#113";
        assert!(root.explain_rejection(reason).expect("it is locked").why.contains("locked down"));
        assert_eq!(root.explain_rejection(TRACE), None);
    }

    #[test]
    fn an_address_that_leaks_needs_cap_perfmon() {
        let reason = "R0 leaks addr as return value";
        assert!(with_cap_bpf().explain_rejection(reason).is_some());
        assert_eq!(Privileges { effective: u64::MAX, ..with_cap_bpf() }.explain_rejection(reason), None);
        assert_eq!(with_cap_bpf().explain_rejection("invalid bpf_context access off=76 size=4"), None);
    }
}
