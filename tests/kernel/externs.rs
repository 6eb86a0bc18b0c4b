//! What the kernel provides to a program, on the running kernel.

use std::fs;
use std::process::Command;

use crate::support::objects::{Made, compile};
use crate::support::process::{output_of, run};
use crate::support::{Json, text};

const EXTERNS: &str = "
    #define __kconfig __attribute__((section(\".kconfig\")))
    #define __ksym __attribute__((section(\".ksyms\")))
    #define __weak __attribute__((weak))
    struct bpf_dynptr { __u64 words[2]; } __attribute__((aligned(8)));
";

fn made(programs: &str) -> Made {
    compile(&format!("{EXTERNS}{programs}"))
}

/// The `program` line of an object of one program.
#[track_caller]
fn program(made: &Made, code: i32) -> Json {
    run(["check", &made.path(), "--json"]).expect(code).only("program")
}

#[track_caller]
fn loads(programs: &str) {
    let line = program(&made(programs), 0);
    assert_eq!((text(&line, "verdict"), &line["tag_computed"]), ("loaded", &Json::Bool(true)), "{line}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_weak_function_that_the_kernel_does_not_have_is_refused_only_if_the_program_gets_there() {
    loads(
        "extern int nobody_has_this(int x) __ksym __weak;
         SEC(\"socket\") int guarded(struct __sk_buff *skb) { return nobody_has_this ? nobody_has_this(1) : 9; }",
    );
    loads(
        "extern int bpf_dynptr_from_skb___other(int x) __ksym __weak;
         SEC(\"socket\") int other(struct __sk_buff *skb)
         { return bpf_dynptr_from_skb___other ? bpf_dynptr_from_skb___other(1) : 8; }",
    );
    let made = made(
        "extern int nobody_has_this(int x) __ksym __weak;
         SEC(\"socket\") int unguarded(struct __sk_buff *skb) { return nobody_has_this(1); }",
    );
    let ran = run(["check", &made.path()]).expect(5);
    assert!(ran.text().contains("this kernel has no function nobody_has_this"), "{}", ran.text());
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_kernel_version_is_the_one_that_uname_tells() {
    let made = made(
        "extern int LINUX_KERNEL_VERSION __kconfig;
         SEC(\"socket\") int version(struct __sk_buff *skb) { return LINUX_KERNEL_VERSION; }",
    );
    let steps = run(["check", &made.path(), "--dry-run", "--json"]).expect(0).kind("step");
    let write = steps.iter().find(|step| step["call"] == "BPF_MAP_UPDATE_ELEM").unwrap();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let numbers: Vec<u32> = release.split(|c: char| !c.is_ascii_digit()).take(2).map(|n| n.parse().unwrap()).collect();
    let value = text(&write["attr"], "value");
    assert_eq!(value[2..], format!("{:02x}{:02x}00", numbers[1], numbers[0]), "{value} is {release}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_symbols_address_is_the_one_in_kallsyms() {
    let made = made(
        "extern const void bpf_prog_put __ksym;
         SEC(\"socket\") int address(struct __sk_buff *skb) { return (__u64)&bpf_prog_put >> 32; }",
    );
    let line = output_of(Command::new("grep").args(["-m1", " bpf_prog_put$", "/proc/kallsyms"]));
    let address = u64::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap();
    let dry = run(["check", &made.path(), "--dry-run"]).expect(0).text();
    assert!(dry.contains(&format!("-> address {address:#x}  `bpf_prog_put`")), "{dry}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn what_no_kernel_has_spoils_only_the_program_that_needs_it() {
    let made = made(
        "extern int CONFIG_NOBODY_HAS_THIS __kconfig;
         SEC(\"socket\") int bad(struct __sk_buff *skb) { return CONFIG_NOBODY_HAS_THIS; }
         SEC(\"socket\") int good(struct __sk_buff *skb) { return skb->len; }",
    );
    let lines = run(["check", &made.path(), "--json"]).expect(3).kind("program");
    let verdicts: Vec<_> = lines.iter().map(|line| (text(line, "name"), text(line, "verdict"))).collect();
    assert_eq!(verdicts, [("bad", "unlinkable"), ("good", "loaded")]);
    let error = text(&lines[0], "error");
    assert!(
        error.contains("insn 0: extern `CONFIG_NOBODY_HAS_THIS`: not set in this kernel's configuration"),
        "{error}"
    );
    assert!(error.ends_with("declares it __weak"), "{error}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_kernel_takes_the_types_of_an_object_with_externs_and_a_hidden_function() {
    let made = made(
        "extern int LINUX_KERNEL_VERSION __kconfig;
         extern const void bpf_prog_put __ksym __weak;
         extern const int nothing __ksym __weak;
         extern int bpf_dynptr_from_skb(struct __sk_buff *, __u64, struct bpf_dynptr *) __ksym;
         __attribute__((noinline, visibility(\"hidden\"))) int helper(struct __sk_buff *skb, int *counter)
         { asm volatile(\"\" : \"+r\"(counter)); *counter += 1; return *counter; }
         SEC(\"socket\") int all(struct __sk_buff *skb)
         {
             struct bpf_dynptr ptr;
             int counter = LINUX_KERNEL_VERSION;
             if (&bpf_prog_put && &nothing)
                 counter += nothing;
             return bpf_dynptr_from_skb(skb, 0, &ptr) + helper(skb, &counter);
         }",
    );
    // A global `helper` would be verified for any pointer, NULL too, and refused.
    let ran = run(["check", &made.path(), "--json"]).expect(0);
    assert_eq!(text(&ran.only("program"), "verdict"), "loaded");
    assert!(ran.kind("warning").is_empty() && !ran.stderr.contains("warning"), "{}", ran.stderr);
}
