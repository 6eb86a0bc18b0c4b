//! What is said of a hole that stays open, held against the kernel.

use std::process::Command;

use minibpf::elf::Object;
use minibpf::explain::facts::HOLES;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::plan::{Plan, Step};
use minibpf::spec::Spec;
use minibpf::target::Target;

use crate::explain;
use crate::support::objects::compile;
use crate::support::process::{MINIBPF, Running};
use crate::support::{Json, text};

#[test]
fn without_a_kernels_types_core_stays_unresolved_and_that_is_no_failure() {
    let ran = explain(&compile(HOLES_LEFT_OPEN).path(), &["--json"]).expect(0);
    let core = ran.kind("patch").into_iter().find(|patch| patch["hole"] == "core").unwrap();
    assert_eq!(core["resolved"], false);
    assert!(text(&core, "symbol").ends_with("0 here"), "{core}");
    assert_eq!(text(&core, "becomes"), "unresolved: needs a target BTF");
    assert_eq!(core["record"]["kind"], "BPF_CORE_FIELD_BYTE_OFFSET");
    let program = ran.kind("program").into_iter().find(|program| program["name"] == "core").unwrap();
    assert_eq!(program["tag_sha256"], Json::Null, "the kernel would give another");
}

#[test]
#[ignore = "needs root, to hide the kernel's types"]
fn where_the_kernel_shows_no_types_core_is_unresolved_and_the_reason_is_said() {
    let made = compile(HOLES_LEFT_OPEN);
    let script = format!("mount -t tmpfs none /sys/kernel/btf && exec {MINIBPF} explain {} --json", made.path());
    let ran = Running::command(Command::new("unshare").args(["--mount", "sh", "-c", &script])).end().expect(0);
    assert!(text(&ran.only("warning"), "message").contains("/sys/kernel/btf/vmlinux"));
    let core = ran.kind("patch").into_iter().find(|patch| patch["hole"] == "core").unwrap();
    assert_eq!(core["resolved"], false);
}

/// One program for each kind of hole, each of which gets into trouble if its hole is left open.
const HOLES_LEFT_OPEN: &str = "
    static long (*const bpf_loop)(__u32 n, void *callback, void *ctx, __u64 flags) = (void *)181;
    struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } table SEC(\".maps\");
    __u32 global = 1;
    __attribute__((noinline)) int doubled(int x) { asm volatile(\"\" : \"+r\"(x)); return 2 * x; }
    static long add(__u32 n, __u64 *sum) { *sum += n; return 0; }
    struct task_struct { int pid; } __attribute__((preserve_access_index));
    SEC(\"socket\") int map_fd(struct __sk_buff *skb) { __u32 key = 0; return !bpf_map_lookup_elem(&table, &key); }
    SEC(\"socket\") int map_value(struct __sk_buff *skb) { return global; }
    SEC(\"socket\") int call(struct __sk_buff *skb) { return doubled(skb->len); }
    SEC(\"socket\") int func(struct __sk_buff *skb) { __u64 sum = 0; bpf_loop(10, add, &sum, 0); return sum; }
    SEC(\"socket\") int core(struct __sk_buff *skb)
    {
        return __builtin_preserve_field_info(((struct task_struct *)0)->pid, 0);
    }
    #define __ksym __attribute__((section(\".ksyms\")))
    struct bpf_dynptr { __u64 words[2]; } __attribute__((aligned(8)));
    extern const void bpf_prog_put __ksym;
    extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
    SEC(\"socket\") int kernel_type(struct __sk_buff *skb)
    {
        const void *address = bpf_dynptr_from_skb;
        barrier_var(address);
        return address != 0;
    }
    SEC(\"socket\") int symbol(struct __sk_buff *skb) { return &bpf_prog_put != 0; }
    SEC(\"socket\") int kfunc(struct __sk_buff *skb)
    {
        struct bpf_dynptr ptr;
        return bpf_dynptr_from_skb(skb, 0, &ptr);
    }";

/// The verifier's log for one program of the plan, with all of its holes left open; empty if the kernel takes it.
fn log_of_the_unpatched(plan: &Plan, name: &str) -> String {
    let mut plan = plan.clone();
    plan.steps.retain(|step| !matches!(step, Step::ProgLoad(program) if program.name != name));
    assert_eq!(plan.prog_loads().count(), 1, "a program with a hole of the kind {name}");
    for step in &mut plan.steps {
        if let Step::ProgLoad(program) = step {
            program.patches.clear();
        }
    }
    let Err(error) = Kernel::load(&plan) else { return String::new() };
    error.log.expect("the verifier says why")
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_a_hole_left_open_the_kernel_says_what_is_explained() {
    let bytes = compile(HOLES_LEFT_OPEN).bytes();
    let object = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&object);
    let plan = Plan::new(&spec, &Options::default(), &Target::running(&spec)).unwrap();
    Kernel::load(&plan).expect("with its holes filled the kernel takes each of them");
    for hole in HOLES {
        let log = log_of_the_unpatched(&plan, hole.name);
        assert!(log.contains(hole.log) && log.is_empty() == hole.log.is_empty(), "{}: {log}", hole.name);
    }
}
