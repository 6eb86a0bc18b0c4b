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
