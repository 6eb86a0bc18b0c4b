//! CO-RE on the running kernel, with libbpf (bpftool) as the referee: the same object must give the same tag, that is the same
//! number in every instruction.

use std::process::Command;

use crate::support::loaded::by_libbpf;
use crate::support::objects::{Made, compile, object};
use crate::support::process::run;
use crate::support::text;

/// A few of the kernel's types, as an old or sloppy header might have them.
const TYPES: &str = "
    #define core __attribute__((preserve_access_index))
    #define field(F, KIND) __builtin_preserve_field_info(F, KIND)
    struct list_head { struct list_head *next, *prev; } core;
    struct task_struct { unsigned int __state; int pid; char comm[16]; struct list_head tasks; } core;
    struct task_struct___other { int tgid; } core;
    struct sk_buff { unsigned int len; unsigned char pkt_type : 3, ignore_df : 1; unsigned char nothere; } core;
    struct nowhere { int a; } core;
    enum bpf_map_type___mine { BPF_MAP_TYPE_RINGBUF___mine = 99, NOTHERE___mine = 5 };
    struct __sk_buff___mine { unsigned long long len; __u32 protocol; __u32 hash; } core;
    volatile __u64 out[32];
";

fn made(programs: &str) -> Made {
    compile(&format!("{TYPES}{programs}"))
}

#[test]
#[ignore = "needs CAP_BPF"]
fn every_kind_of_relocation_gives_the_number_that_libbpf_gives() {
    let made = made(
        "SEC(\"socket\") int fields(struct __sk_buff *skb)
         {
             out[0] = field(((struct task_struct *)0)->pid, 0);
             out[1] = field(((struct task_struct *)0)->comm, 1);
             out[2] = field(((struct task_struct *)0)->comm[3], 0);
             out[3] = field(((struct task_struct *)0)->tasks.prev, 0);
             out[4] = field(((struct task_struct *)0)->pid, 3);
             out[5] = field(((struct task_struct___other *)0)->tgid, 2);
             out[6] = field(((struct sk_buff *)0)->nothere, 2);
             out[7] = field(((struct sk_buff *)0)->pkt_type, 0);
             out[8] = field(((struct sk_buff *)0)->pkt_type, 1);
             out[9] = field(((struct sk_buff *)0)->pkt_type, 4);
             out[10] = field(((struct sk_buff *)0)->pkt_type, 5);
             return skb->len;
         }
         SEC(\"socket\") int types(struct __sk_buff *skb)
         {
             out[0] = __builtin_preserve_type_info(*(struct task_struct *)0, 0);
             out[1] = __builtin_preserve_type_info(*(struct task_struct *)0, 1);
             out[2] = __builtin_preserve_type_info(*(struct nowhere *)0, 0);
             out[3] = __builtin_preserve_type_info(*(struct nowhere *)0, 1);
             out[4] = __builtin_btf_type_id(*(struct task_struct *)0, 0);
             out[5] = __builtin_btf_type_id(*(struct task_struct *)0, 1);
             out[6] = __builtin_preserve_enum_value(*(enum bpf_map_type___mine *)BPF_MAP_TYPE_RINGBUF___mine, 0);
             out[7] = __builtin_preserve_enum_value(*(enum bpf_map_type___mine *)BPF_MAP_TYPE_RINGBUF___mine, 1);
             out[8] = __builtin_preserve_enum_value(*(enum bpf_map_type___mine *)NOTHERE___mine, 0);
             return skb->len;
         }
         SEC(\"socket\") int loads(struct __sk_buff___mine *skb) { return skb->len + skb->protocol + skb->hash; }
         SEC(\"socket\") int guarded(struct __sk_buff *skb)
         {
             if (field(((struct sk_buff *)0)->nothere, 2))
                 return field(((struct sk_buff *)0)->nothere, 0);
             return skb->len;
         }",
    );
    let lines = run(["check", &made.path(), "--json"]).expect(0).kind("program");
    let names: Vec<_> = lines.iter().map(|line| text(line, "name")).collect();
    assert_eq!(names, ["fields", "types", "loads", "guarded"]);
    let tags: Vec<_> = lines.iter().map(|line| text(line, "tag").to_owned()).collect();
    let mut ours: Vec<_> = names.iter().zip(&tags).map(|(name, tag)| ((*name).to_owned(), tag.clone())).collect();
    ours.sort();
    let libbpf: Vec<_> = by_libbpf(&made.path()).unwrap().into_iter().map(|loaded| (loaded.name, loaded.tag)).collect();
    assert_eq!(ours, libbpf);
    assert!(lines.iter().all(|line| line["tag_computed"] == true), "{lines:?}");

    let named = ["check", &made.path(), "--json", "--btf", "/sys/kernel/btf/vmlinux"];
    let again: Vec<_> = run(named).expect(0).kind("program").iter().map(|line| text(line, "tag").to_owned()).collect();
    assert_eq!(again, tags, "the same types, named");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_field_that_the_kernel_does_not_have_is_named_if_the_program_uses_it() {
    let made = made(
        "SEC(\"socket\") int unguarded(struct __sk_buff *skb) { return field(((struct sk_buff *)0)->nothere, 0); }",
    );
    let line = run(["check", &made.path(), "--json"]).expect(5).only("program");
    assert_eq!((text(&line, "verdict"), text(&line, "errno")), ("rejected", "EINVAL"));
    assert!(text(&line["explanation"], "why").contains("no struct sk_buff with a field `nothere`"), "{line}");
    let ran = run(["load", &made.path(), "--connect", "127.0.0.1:9"]).expect(5);
    assert!(ran.stderr.contains("this kernel has no struct sk_buff with a field `nothere`"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_plan_for_no_kernel_is_shown_and_not_performed() {
    let made =
        made("SEC(\"socket\") int pid(struct __sk_buff *skb) { return field(((struct task_struct *)0)->pid, 0); }");
    let dry = run(["check", &made.path(), "--btf", "none", "--dry-run"]).expect(0).text();
    assert!(
        dry.contains("-> unresolved: needs a target BTF  `byte offset of struct task_struct.pid: 4 here`"),
        "{dry}"
    );
    let ran = run(["check", &made.path(), "--btf", "none"]).expect(3);
    assert!(ran.stderr.contains("needs a target BTF") && ran.stderr.contains("--btf FILE"), "{}", ran.stderr);
    let ran = run(["check", &made.path(), "--btf", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]).expect(3);
    assert!(ran.stderr.contains("the target's BTF: .BTF: header: magic"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_target_may_be_an_elf_file_with_types() {
    let made =
        made("SEC(\"socket\") int pid(struct __sk_buff *skb) { return field(((struct task_struct *)0)->pid, 0); }");
    // The object is one itself: its own types are then the kernel's.
    let dry = run(["check", &made.path(), "--btf", &made.path(), "--dry-run"]).expect(0).text();
    assert!(dry.contains("struct task_struct.pid: 4 here, 4 there"), "{dry}");
    let ran = run(["check", &made.path(), "--btf", "/bin/true"]).expect(3);
    assert!(ran.stderr.contains("/bin/true: an ELF file without a section .BTF"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn the_kernels_types_are_read_only_for_an_object_that_depends_on_them() {
    let opened = |path: &str| {
        let strace = ["-f", "-e", "trace=openat", env!("CARGO_BIN_EXE_minibpf"), "check", path];
        let output = Command::new("strace").args(strace).output().unwrap();
        String::from_utf8_lossy(&output.stderr).contains("/sys/kernel/btf/vmlinux")
    };
    let made =
        made("SEC(\"socket\") int pid(struct __sk_buff *skb) { return field(((struct task_struct *)0)->pid, 0); }");
    assert!(opened(&made.path()));
    assert!(!opened(&object("count")));
}
