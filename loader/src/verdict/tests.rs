use super::log::{Log, Walked, register_state};
use super::*;
use crate::btf::ext::LineInfo;
use crate::testing::{self, EXIT, Elf, R0};

/// Without records, so that instructions are all there is to name.
fn plan(code: &[&[u8]]) -> Plan {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &code.concat());
    testing::plan(&elf.build()).unwrap()
}

fn explained(code: &[&[u8]], log: &str) -> Explanation {
    let plan = plan(code);
    explain(&plan, testing::program(&plan, "filter"), log)
}

/// `r0 = *(u32 *)(r1 + 76)`.
const READS_DATA: &[u8] = &[0x61, 0x10, 76, 0, 0, 0, 0, 0];

const OLD: &str = "0: R1=ctx() R10=fp0\n; return skb->data; @ x.bpf.c:9\n0: (61) r0 = *(u32 *)(r1 +76)\n\
                   invalid bpf_context access off=76 size=4\nprocessed 1 insns (limit 1000000) max_states_per_insn 0\n";

#[test]
fn a_refusal_is_explained_from_its_last_words() {
    let explanation = explained(&[READS_DATA, EXIT], OLD);
    assert_eq!(explanation.reason, "invalid bpf_context access off=76 size=4");
    assert_eq!(explanation.message, Some("ctx-data"));
    assert_eq!(explanation.insn, Some(Place { number: 0, text: "r0 = *(u32 *)(r1 + 76)".to_owned() }));
    assert_eq!(explanation.source, None, "the object has no records");
    assert!(explanation.why.is_some_and(|why| why.starts_with("`data` is not for socket filters")));
    assert_eq!(
        explanation.decisive,
        "return skb->data; @ x.bpf.c:9\n0: (61) r0 = *(u32 *)(r1 +76)\ninvalid bpf_context access off=76 size=4"
    );
}

#[test]
fn the_kernels_own_explanation_is_passed_on() {
    let log = "0: R1=ctx() R10=fp0\n0: (95) exit\nR0 !read_ok\n\n\
        Verification failed: Register Type Safety: Unreadable register\n\n\
        Reason:\n  R0 has never been initialized on this path.\n\n\
        At:\n  insn 0\n        | ^-- error: R0 is not readable\n  Instruction context:\n  >>> 0 | (95) exit\n\n\
        Causal path:\n  no retained diagnostic events on this path\n\n\
        Suggestion:\n  Initialize R0 on every path before this instruction.\n\n\
        processed 1 insns (limit 1000000) max_states_per_insn 0\n";
    let explanation = explained(&[EXIT], log);
    assert_eq!((explanation.reason.as_str(), explanation.message), ("R0 !read_ok", Some("uninitialised")));
    let kernel = explanation.kernel.as_deref().unwrap();
    assert!(
        kernel.starts_with("Verification failed: Register") && kernel.ends_with("before this instruction."),
        "{kernel}"
    );
    let lines = explanation.lines();
    let at = |label| lines.iter().position(|(found, _)| *found == label).unwrap();
    assert!(at("kernel") < at("why"), "the kernel's words come first: {lines:?}");
}

#[test]
fn a_log_that_only_the_new_kernel_explains_has_its_reason() {
    let explanation = explained(&[EXIT], "Verification failed: Resource Lifetime: Leak\n\nReason:\n  Something.\n");
    assert_eq!(explanation.reason, "Verification failed: Resource Lifetime: Leak");
    assert_eq!(explanation.message, None);
}

#[test]
fn words_that_nobody_knows_are_shown_as_they_are() {
    let explanation = explained(&[R0, EXIT], "0: (b7) r0 = 0\nsomething new\nprocessed 1 insns\n");
    assert_eq!((explanation.reason.as_str(), explanation.message), ("something new", None));
    assert_eq!((explanation.why, explanation.mend), (None, None));
    assert_eq!(explanation.insn.map(|insn| insn.number), Some(0));
    assert_eq!(explanation.see, "docs/verifier.md");
}

#[test]
fn a_log_whose_end_is_lost_was_that_of_a_very_long_path() {
    let explanation = explained(&[R0, EXIT], &("0: (b7) r0 = 0\n".repeat(200_000) + "0: (b7"));
    assert_eq!(explanation.message, Some("too-complex"));
    assert!(explanation.reason.contains("its end is lost"), "{}", explanation.reason);
    let short = explained(&[R0, EXIT], "0: (b7) r0 = 0\n0: (b7");
    assert_eq!(short.message, None);
}

#[test]
fn older_kernels_use_other_words_for_the_same() {
    for (line, message) in [
        ("unknown func bpf_perf_event_output#25", "helper-type"),
        ("R1 type=inv expected=map_ptr", "map-expected"),
        ("R0 invalid mem access 'inv'", "number-as-pointer"),
        ("invalid zero-sized read", "size-zero"),
        ("back-edge from insn 1 to 0", "endless-loop"),
        ("invalid stack type R3 off=-24 access_size=40", "stack-buffer"),
        ("R2 variable stack access prohibited for !root, var_off=(0x0; 0x1f)", "stack-index"),
    ] {
        let explanation = explained(&[R0, EXIT], &format!("0: (b7) r0 = 0\n{line}\n"));
        assert_eq!(explanation.message, Some(message), "{line}");
    }
}

#[test]
fn a_poisoned_call_is_told_whoever_poisoned_it() {
    for (number, words) in
        [(195_896_080, "CO-RE"), (2_001_000_000, "map"), (2_002_000_001, "weak"), (0x0ded_c0de, "cilium")]
    {
        let explanation =
            explained(&[R0, EXIT], &format!("0: (85) call unknown#{number}\ninvalid func unknown#{number}\n"));
        assert_eq!(explanation.message, Some("helper-unknown"));
        assert!(explanation.notes.iter().any(|note| note.contains(words)), "{number}: {:?}", explanation.notes);
    }
}

#[test]
fn where_only_a_privilege_is_missing_the_mend_is_to_have_it() {
    // call bpf_trace_printk, call bpf_skb_store_bytes
    for (number, needs) in [(6, true), (9, false)] {
        let call = [0x85, 0, 0, 0, number, 0, 0, 0];
        let log = format!("0: (85) call x#{number}\nprogram of this type cannot use helper x#{number}\n");
        let explanation = explained(&[&call, EXIT], &log);
        assert_eq!(explanation.message, Some("helper-type"));
        let mend = explanation.mend.unwrap();
        assert_eq!(mend.starts_with("load it with CAP_PERFMON"), needs, "{mend}");
    }
}

#[test]
fn a_call_that_has_returned_is_no_recursion() {
    // 0: call 2; 1: exit; 2: call 4; 3: exit; 4: exit
    let call = [0x85, 0x10, 0, 0, 1, 0, 0, 0];
    let plan = plan(&[R0, EXIT]);
    let mut program = testing::program(&plan, "filter").clone();
    program.insns = crate::insn::Insn::decode_all(&[&call, EXIT, &call, EXIT, EXIT].concat());
    let said = "the call stack of 9 frames is too deep\n";
    let path = |slots: &[usize]| slots.iter().map(|slot| format!("{slot}: (00) x\n")).collect::<String>();
    for (slots, message) in [(&[0, 2, 4, 3, 2][..], "call-depth"), (&[0, 2, 2], "recursion"), (&[], "call-depth")] {
        let explanation = explain(&plan, &program, &(path(slots) + said));
        assert_eq!(explanation.message, Some(message), "{slots:?}");
    }
    for (slot, message) in [(2, "recursion"), (4, "endless-loop")] {
        let explanation = explain(&plan, &program, &format!("back-edge from insn {slot} to 0\n"));
        assert_eq!(explanation.message, Some(message), "{slot}");
    }
}

#[test]
fn a_line_record_about_no_instruction_leads_to_its_slot() {
    let plan = plan(&[R0, EXIT]);
    let mut program = testing::program(&plan, "filter").clone();
    program.insns = crate::insn::Insn::decode_all(&[R0, &[0; 8], EXIT].concat());
    program.line_info =
        [0, 1].map(|insn_off| LineInfo { insn_off, file_name_off: 0, line_off: 0, line_col: 0 }).to_vec();
    let explanation = explain(&plan, &program, "Invalid insn code at line_info[1].insn_off\n");
    assert_eq!((explanation.message, explanation.insn.map(|insn| insn.number)), (Some("opcode"), Some(1)));
}

#[test]
fn the_whole_log_goes_back_to_where_the_path_branched_off() {
    let log = "func#0 @0\n0: R1=ctx() R10=fp0\n0: (b7) r0 = 0         ; R0_w=0\n1: (15) if r1 == 0x0 goto pc+1 3: R0=0\n\
        2: (b7) r0 = 1\n3: (95) exit\n\nfrom 1 to 3: R0_w=0 R1=0 R10=fp0\n3: (95) exit\nsome reason\n";
    let log = Log::read(log);
    let path: Vec<_> = log.walked.iter().map(|walked| walked.insn).collect();
    assert_eq!((path.as_slice(), log.said.as_slice()), (&[0, 1, 3][..], &["some reason"][..]));
    assert_eq!(log.walked[0], Walked { insn: 0, state: "R0_w=0" });
    assert_eq!(log.walked[1].state, "R0=0");
}

#[test]
fn a_state_is_found_by_register_and_ends_where_it_ends() {
    let state = "R1=scalar(umax=9,var_off=(0x0; 0xf)) R10=fp0 R2_w=ctx(off=0, imm=0)";
    let found = [1, 2, 10, 3].map(|register| register_state(state, register));
    assert_eq!(found, [Some("scalar(umax=9,var_off=(0x0; 0xf))"), Some("ctx(off=0, imm=0)"), Some("fp0"), None]);
}

#[test]
fn a_log_of_any_shape_is_no_trouble() {
    let long = format!("0: (95) exit\nfrom 0 to 0: {}\n", "(".repeat(1000));
    for log in [
        "",
        "\n\n",
        ": (",
        "0: (",
        "0: (95",
        "0: (95) exit; ",
        "from",
        "from 1 to ",
        "from 9999 to 1: x",
        "; ",
        "Validating x",
        "Verification failed:",
        "99999999999999999999: (95) exit",
        "18446744073709551615: (95) exit\nR0 !read_ok",
        "infinite loop detected at insn 999999",
        "invalid func unknown#99999999999999999999",
        "ä: (ü) ß\nR\u{0}",
        "combined stack size of 2 calls is 999. Too large",
        "Unreleased reference id=1 alloc_insn=-1",
        &long,
    ] {
        let explanation = explained(&[R0, EXIT], log);
        assert!(!explanation.lines().is_empty());
    }
}

#[test]
fn every_row_has_words_a_reason_and_a_mend_and_a_place_of_its_own() {
    for (number, message) in messages().enumerate() {
        assert!(!message.texts.is_empty() && !message.why.is_empty() && !message.mend.is_empty(), "{}", message.name);
        assert!(messages().skip(number + 1).all(|other| other.name != message.name), "{}", message.name);
        for sentence in [message.why, message.mend] {
            assert!(!sentence.ends_with('.'), "{}: the docs add the full stop", message.name);
        }
    }
}
