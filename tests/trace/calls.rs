//! How many calls a load takes: as many as there are things to be made, and not one to ask what the kernel can do.

use std::fmt::Write;
use std::process::Command;

use crate::support::objects::{COMMITTED, Made, compile, object};
use crate::support::process::{MINIBPF, output_of};

/// So many maps, and programs that use them all, with constants, initialised and other variables.
fn with(maps: usize, programs: usize) -> Made {
    let mut source = String::from("const volatile int constant = 1; int initialised = 2; int zero;\n");
    for number in 0..maps {
        let map = "__uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32);";
        writeln!(source, "struct {{ {map} }} m{number} SEC(\".maps\");").unwrap();
    }
    for program in 0..programs {
        writeln!(
            source,
            "SEC(\"socket\") int p{program}(struct __sk_buff *skb) {{ __u32 key = constant; zero = initialised++;"
        )
        .unwrap();
        for number in (0..maps).filter(|number| number % programs == program) {
            writeln!(source, "if (!bpf_map_lookup_elem(&m{number}, &key)) return {number};").unwrap();
        }
        source += "return skb->len; }\n";
    }
    compile(&source)
}

/// The lines of strace about `calls`, of a check of an object.
fn strace(calls: &str, object: &str) -> String {
    let log = tempfile::NamedTempFile::new().unwrap();
    let trace = format!("trace={calls}");
    let log_path = log.path().to_str().unwrap();
    output_of(
        Command::new("strace").args(["-f", "-qq", "-s", "200", "-e", &trace, "-o", log_path, MINIBPF, "check", object]),
    );
    std::fs::read_to_string(log.path()).unwrap()
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn each_map_and_program_takes_one_call_and_nothing_is_asked_before() {
    for (maps, programs) in [(3, 1), (20, 10), (100, 2)] {
        let seen = strace("bpf", &with(maps, programs).path());
        // The types once; a map for each kind of variable; constants are written and frozen, initialised variables written.
        let before_programs = 1 + maps + 3 + 3;
        let first = seen.lines().position(|line| line.contains("BPF_PROG_LOAD"));
        assert_eq!(first, Some(before_programs), "{maps} maps, {programs} programs:\n{seen}");
        // What `check` asks of a program that is loaded, to print it, is no part of the load.
        let loads = seen.lines().filter(|line| !line.contains("BPF_OBJ_GET_INFO_BY_FD"));
        assert_eq!(loads.count(), before_programs + programs, "{maps} maps, {programs} programs:\n{seen}");
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn the_kernels_types_are_opened_only_by_an_object_that_asks_for_them() {
    let opened =
        |object: &str| strace("openat,open", object).lines().filter(|line| line.contains("btf/vmlinux")).count();
    for name in COMMITTED {
        assert_eq!(opened(&object(name)), 0, "{name}");
    }
    let asking = compile(
        "struct task_struct { int pid; } __attribute__((preserve_access_index));\n\
         SEC(\"socket\") int p(struct __sk_buff *skb)\n\
         { return __builtin_preserve_field_info(((struct task_struct *)0)->pid, 2) ? skb->len : 0; }",
    );
    assert_eq!(opened(&asking.path()), 1);
}
