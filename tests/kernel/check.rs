//! `minibpf check`: what the kernel takes, what it refuses, and why.

use crate::support::objects::{COMMITTED, Made, compile, object};
use crate::support::process::run;
use crate::support::{Json, number, text};

/// A filter that the verifier refuses (`data` at offset 76 is not for socket filters), between two that it takes.
const MIDDLE_ONE_REFUSED: &str = "
    SEC(\"socket\") int before(struct __sk_buff *skb) { return skb->len; }
    SEC(\"socket\") int reads_data(struct __sk_buff *skb) { return *(__u32 *)((char *)skb + 76); }
    SEC(\"socket\") int after(struct __sk_buff *skb) { return 0; }";

fn verdicts(lines: &[Json]) -> Vec<(&str, &str)> {
    lines.iter().map(|line| (text(line, "name"), text(line, "verdict"))).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn every_committed_object_is_loaded_and_its_tag_computed() {
    for name in COMMITTED {
        let program = run(["check", &object(name), "--json"]).expect(0).only("program");
        assert_eq!(verdicts(std::slice::from_ref(&program)), [(name, "loaded")]);
        assert_eq!(program["tag_computed"], true);
        assert_eq!(text(&program, "tag").len(), 16);
        for field in ["errno", "error", "log"] {
            assert_eq!(program[field], Json::Null, "{name}: {field}");
        }
        assert_eq!(program["obj"], Json::Null, "one object needs no name");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_refused_program_is_5_with_its_reason_and_the_others_are_checked_all_the_same() {
    let made = compile(MIDDLE_ONE_REFUSED);
    let ran = run(["check", &made.path(), "--json"]).expect(5);
    let programs = ran.kind("program");
    assert_eq!(verdicts(&programs), [("before", "loaded"), ("reads_data", "rejected"), ("after", "loaded")]);
    assert_eq!(programs[1]["errno"], "EACCES");
    assert!(text(&programs[1], "log").contains("invalid bpf_context access off=76 size=4"), "{}", programs[1]);
    assert_eq!(programs[1]["id"], Json::Null);
    assert!(text(&ran.only("error"), "message").contains("`reads_data`"));

    let ran = run(["check", &made.path()]).expect(5);
    assert!(ran.text().contains("reads_data: rejected (EACCES): invalid bpf_context access"), "{}", ran.text());
    assert!(ran.text().contains("name before") && ran.text().contains("name after"), "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn load_of_a_refused_program_is_5_and_names_the_instruction_and_its_line() {
    let made = compile(MIDDLE_ONE_REFUSED);
    let args = ["load", &made.path(), "--program", "reads_data", "--connect", "127.0.0.1:9"];
    let ran = run(args).expect(5);
    let first = ran.stderr.lines().next().unwrap();
    assert!(first.contains("`reads_data`") && first.contains("EACCES") && first.contains("off=76"), "{first}");
    assert!(ran.stderr.contains("0: r0 = *(u32 *)(r1 + 76)"), "{}", ran.stderr);
    assert!(ran.stderr.contains("skb + 76"), "the source line: {}", ran.stderr);
    let error = run(args.iter().copied().chain(["--json"])).expect(5).only("error");
    assert_eq!(error["hint"], error["explanation"]["mend"], "a hint is how to mend it: {error}");
    assert!(!ran.stderr.contains("CAP_BPF"), "EACCES is not about privileges: {}", ran.stderr);

    let whole = run(args.iter().copied().chain(["--raw-log"])).expect(5).stderr;
    assert!(whole.contains("processed 1 insns"), "the kernel's own text: {whole}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_verifiers_log_of_a_program_that_loads_is_shown_where_it_is_asked_for() {
    let program = run(["check", &object("pass"), "--json", "--verifier-log=2"]).expect(0).only("program");
    assert!(text(&program, "log").contains("processed "), "{program}");
    let ran = run(["check", &object("pass"), "--verifier-log"]).expect(0);
    assert!(ran.text().contains("processed "), "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_several_objects_each_line_says_which() {
    let refused = compile(MIDDLE_ONE_REFUSED);
    let paths = [object("pass"), refused.path(), object("drop")];
    let ran = run(["check", "--json"].into_iter().chain(paths.iter().map(String::as_str))).expect(5);
    let lines = ran.kind("program");
    let objects: Vec<_> = lines.iter().map(|line| text(line, "obj")).collect();
    assert_eq!(objects, [&paths[0], &paths[1], &paths[1], &paths[1], &paths[2]]);
    assert_eq!(lines[4]["verdict"], "loaded", "a refusal does not end the check");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_program_that_is_only_loaded_by_name_is_skipped_until_it_is_named() {
    let made = compile(
        "SEC(\"?socket\") int shy(struct __sk_buff *skb) { return skb->len; }
         SEC(\"socket\") int bold(struct __sk_buff *skb) { return skb->len; }",
    );
    let lines = run(["check", &made.path(), "--json"]).expect(0).kind("program");
    assert_eq!(verdicts(&lines), [("shy", "skipped"), ("bold", "loaded")]);
    let lines = run(["check", &made.path(), "--json", "--program", "shy"]).expect(0).kind("program");
    assert_eq!(verdicts(&lines), [("shy", "loaded")]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn another_section_holds_socket_filters_where_it_is_named() {
    let made = compile("SEC(\"my filters\") int mine(struct __sk_buff *skb) { return skb->len; }");
    run(["check", &made.path()]).expect(3);
    let program = run(["check", &made.path(), "--json", "--section", "my filters"]).expect(0).only("program");
    assert_eq!((text(&program, "name"), text(&program, "verdict")), ("mine", "loaded"));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn types_that_the_kernel_refuses_are_warned_of_and_missed_by_nobody() {
    // Bits 16 to 23 of a type's `info` must be zero, says the kernel; minibpf does not look at them.
    let mut bytes = std::fs::read(object("count")).unwrap();
    let btf = bytes.windows(4).position(|four| four == [0x9f, 0xeb, 1, 0]).unwrap();
    let header_len = u32::from_le_bytes(bytes[btf + 4..btf + 8].try_into().unwrap()) as usize;
    let info = btf + header_len + 4;
    bytes[info + 2] |= 1;
    let made = Made::of(&bytes);

    let ran = run(["check", &made.path(), "--json", "--trace"]).expect(0);
    let warning = ran.only("warning");
    assert_eq!(warning["code"], "btf");
    assert!(
        text(&warning, "message").contains("BPF_BTF_LOAD") && text(&warning, "message").contains("EINVAL"),
        "{warning}"
    );
    let program = ran.only("program");
    assert_eq!((text(&program, "verdict"), &program["tag_computed"]), ("loaded", &Json::Bool(true)));
    assert_eq!(program["btf_id"], Json::Null, "as bpftool, which leaves it out");
    for call in ran.kind("syscall") {
        match text(&call, "call") {
            "BPF_BTF_LOAD" => assert_eq!(call["errno"], "EINVAL"),
            "BPF_MAP_CREATE" => {
                let attr = &call["attr"];
                let types = [&attr["btf_fd"], &attr["btf_key_type_id"], &attr["btf_value_type_id"]];
                assert!(types.iter().all(|field| **field == 0), "{call}");
            }
            "BPF_PROG_LOAD" => assert_eq!(call["attr"]["func_info_cnt"], 0, "{call}"),
            _ => {}
        }
    }
    let ran = run(["check", &made.path()]).expect(0);
    assert!(ran.stderr.starts_with("warning: bpf(BPF_BTF_LOAD)"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn types_that_the_kernel_refuses_are_made_simpler_and_the_reason_is_said() {
    // A parameter without a name is none that the kernel takes.
    let made = compile(
        "static __attribute__((noinline)) int helper(struct __sk_buff *skb, int)
         { asm volatile(\"\" : \"+r\"(skb)); return skb->len; }
         SEC(\"socket\") int filter(struct __sk_buff *skb) { return helper(skb, 1); }",
    );
    let ran = run(["check", &made.path(), "--json"]).expect(0);
    let warning = ran.only("warning");
    let message = text(&warning, "message");
    assert!(message.contains("FUNC helper") && message.contains("Invalid arg#2"), "{message}");
    assert!(message.ends_with("going on with simpler types"), "{message}");
    let id = number(&ran.only("program"), "btf_id");
    assert!(id > 0, "the program has types");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn types_that_no_change_makes_right_are_left_out() {
    let object = std::fs::read(object("count")).unwrap();
    // The name of `struct traffic` gets a byte that no name can have; longer names that end in it are none.
    let at = object.windows(9).position(|bytes| bytes == b"\0traffic\0").expect("the filter's struct");
    let mut bytes = object;
    bytes[at + 1] = b'-';
    let ran = run(["check", &Made::of(&bytes).path(), "--json"]).expect(0);
    let warning = ran.only("warning");
    let message = text(&warning, "message");
    assert!(
        message.contains("Invalid name") && message.ends_with("going on without types and source lines"),
        "{message}"
    );
    assert_eq!(text(&ran.only("program"), "verdict"), "loaded");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_several_objects_one_that_cannot_be_read_does_not_spoil_the_others() {
    let broken = Made::of(b"no object");
    let ran = run(["check", &object("pass"), &broken.path(), &object("drop"), "--json"]).expect(3);
    let names: Vec<_> = ran.kind("program").iter().map(|line| text(line, "name").to_owned()).collect();
    assert_eq!(names, ["pass", "drop"]);
    let unreadable = ran.only("object");
    assert_eq!((text(&unreadable, "obj"), text(&unreadable, "verdict")), (broken.path().as_str(), "unreadable"));
    assert!(text(&unreadable, "error").contains("not an ELF file"));
    assert!(text(&ran.only("error"), "message").contains("not an ELF file"));
    assert!(run(["check", &object("pass"), &broken.path()]).text().contains("unreadable: "));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn every_object_that_fails_is_named_at_the_end_and_the_weightiest_decides() {
    let (unreadable, refused) = (Made::of(b"no object"), object("broken/null-check"));
    let ran = run(["check", &unreadable.path(), &object("pass"), &refused, "--json"]).expect(5);
    let message = text(&ran.only("error"), "message").to_owned();
    assert!(message.starts_with(&format!("the kernel refused program `null_check` of {refused}; ")), "{message}");
    assert!(message.contains(&format!("{}: not an ELF file", unreadable.path())), "{message}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_map_that_the_kernel_refuses_comes_with_what_its_errno_means() {
    let source = "struct { __uint(type, 1); __type(key, int); __type(value, int); } nothing SEC(\".maps\");
        SEC(\"socket\") int filter(struct __sk_buff *skb) { int key = 0; return bpf_map_lookup_elem(&nothing, &key) ? 0 : skb->len; }";
    let made = compile(source);
    let ran = run(["check", &made.path(), "--json"]).expect(5).only("program");
    assert_eq!(
        (text(&ran, "errno"), text(&ran, "hint")),
        ("EINVAL", "it has max_entries 0, and a map of type hash wants at least 1: __uint(max_entries, N);")
    );
}

#[test]
fn standard_input_is_read_once() {
    let ran = run(["check", "-", "-"]).expect(2);
    assert!(ran.stderr.contains("give - once"), "{}", ran.stderr);
}

#[test]
fn a_limit_of_nothing_is_a_usage_error() {
    for limit in ["--count=0", "--duration=0s", "--timeout=0ms"] {
        run(["load", &object("count"), "--connect", "127.0.0.1:9", limit]).expect(2);
    }
}
