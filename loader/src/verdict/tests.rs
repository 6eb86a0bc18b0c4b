use super::*;

#[test]
fn the_reason_is_the_last_line_before_the_statistics() {
    let log = "0: R1=ctx() R10=fp0\n; return skb->data; @ x.bpf.c:9\n0: (61) r0 = *(u32 *)(r1 +76)\n\
               invalid bpf_context access off=76 size=4\nprocessed 1 insns (limit 1000000) max_states_per_insn 0\n";
    let verdict = read_log(log);
    assert_eq!(verdict.reason, "invalid bpf_context access off=76 size=4");
    assert_eq!(verdict.insn.as_deref(), Some("0: (61) r0 = *(u32 *)(r1 +76)"));
    assert_eq!(verdict.source.as_deref(), Some("return skb->data; @ x.bpf.c:9"));
}

#[test]
fn an_empty_log_has_an_empty_reason() {
    assert_eq!(read_log(""), Verdict::default());
}

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
