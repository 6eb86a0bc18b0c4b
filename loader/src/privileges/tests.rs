use super::*;

const HASH: u32 = 1;
const SOCKMAP: u32 = 15;
const LRU_HASH: u32 = 9;

fn bit(capability: Capability) -> u64 {
    1 << capability.number
}

/// Nobody, on a machine that could make them more.
fn nobody() -> Privileges {
    Privileges { bounding: u64::MAX, unprivileged_bpf_disabled: Some(2), ..Privileges::default() }
}

fn with(capability: Capability) -> Privileges {
    Privileges { effective: bit(capability), ..nobody() }
}

#[test]
fn without_cap_bpf_the_sysctl_is_named_with_its_value() {
    let Reason { why, hint } = nobody().explain_eperm(Refused::Program);
    assert_eq!(
        why,
        "this process has no CAP_BPF, and kernel.unprivileged_bpf_disabled is 2: not allowed without privileges"
    );
    assert!(hint.contains("sudo setcap cap_bpf+ep"), "{hint}");
}

#[test]
fn cap_sys_admin_is_as_good_as_cap_bpf() {
    for capability in [CAP_BPF, CAP_SYS_ADMIN] {
        assert!(with(capability).counts(CAP_BPF));
        assert!(!with(capability).explain_eperm(Refused::Program).why.contains("no CAP_BPF"));
    }
}

#[test]
fn with_cap_bpf_a_sockmap_lacks_cap_net_admin() {
    let Reason { why, hint } = with(CAP_BPF).explain_eperm(Refused::Map(SOCKMAP));
    assert!(why.contains("no CAP_NET_ADMIN") && hint.contains("cap_net_admin+ep"), "{why} / {hint}");
}

#[test]
fn where_bpf_is_open_to_all_some_maps_and_calls_are_not() {
    let open = Privileges { unprivileged_bpf_disabled: Some(0), ..nobody() };
    let why = |refused| open.explain_eperm(refused).why;
    assert!(why(Refused::Map(LRU_HASH)).contains("this type of map always needs"));
    assert!(why(Refused::Program).contains("calls functions of its own"));
    assert!(why(Refused::Map(HASH)).contains("security module"), "a hash is open to all: somebody else forbids it");
}

#[test]
fn a_refusal_of_what_needs_no_privilege_is_seccomp_whatever_else_is_missing() {
    let filtered = Privileges { seccomp: true, bpf_is_filtered: true, ..nobody() };
    let Reason { why, .. } = filtered.explain_eperm(Refused::Program);
    assert!(why.contains("seccomp") && !why.contains("CAP_BPF"), "{why}");
}

#[test]
fn a_seccomp_filter_that_lets_bpf_pass_is_not_blamed() {
    let Reason { why, .. } = Privileges { seccomp: true, ..nobody() }.explain_eperm(Refused::Program);
    assert!(why.contains("no CAP_BPF"), "{why}");
}

#[test]
fn the_capabilities_of_a_user_namespace_do_not_count_and_sudo_in_it_does_not_help() {
    let inside = Privileges { effective: u64::MAX, in_user_namespace: true, ..nobody() };
    let Reason { why, hint } = inside.explain_eperm(Refused::Program);
    assert!(why.contains("user namespace") && hint.contains("outside"), "{why} / {hint}");
}

#[test]
fn what_cannot_give_the_capability_is_not_proposed() {
    let bounded = Privileges { bounding: 0, ..nobody() };
    assert!(bounded.how_to_get(CAP_BPF).contains("--cap-add=BPF"));
    let frozen = Privileges { no_new_privs: true, ..nobody() };
    assert!(frozen.how_to_get(CAP_BPF).contains("no_new_privs"));
    assert!(!frozen.how_to_get(CAP_BPF).contains("run it with sudo"));
}

#[test]
fn with_every_privilege_a_security_module_is_left_and_those_in_force_are_named() {
    let modules = Some("lockdown,capability,bpf".to_owned());
    let all = Privileges { effective: u64::MAX, security_modules: modules, ..nobody() };
    let Reason { why, .. } = all.explain_eperm(Refused::Program);
    assert!(why.ends_with("in force are lockdown,capability,bpf"), "{why}");
}
