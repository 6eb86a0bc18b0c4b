//! `minibpf explain`: its text and its JSON, held against readable goldens, against the plan of a load, and against the
//! kernel.
//!
//! `MINIBPF_UPDATE_GOLDEN=1 cargo test --test explain` writes the goldens anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use minibpf::elf::Object;
use minibpf::explain::facts::HOLES;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::plan::{Plan, Step};
use minibpf::spec::Spec;
use minibpf::target::Target;

use support::objects::{COMMITTED, Made, compile, compile_for, object};
use support::process::{MINIBPF, Ran, Running, copy_file, output_of, run, run_with_input};
use support::{Json, text};

/// Runs `explain` on an object, for no kernel in particular.
fn explain(path: &str, more: &[&str]) -> Ran {
    run(["explain", path, "--btf", "none"].iter().chain(more))
}

/// Compares with a golden file, or writes it anew.
fn golden(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/explain").join(name);
    if std::env::var_os("MINIBPF_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let said = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    for (number, (said, now)) in said.lines().zip(now.lines()).enumerate() {
        assert_eq!(now, said, "{name}, line {}", number + 1);
    }
    assert_eq!(now.lines().count(), said.lines().count(), "{name}: lines");
}

#[test]
fn the_text_of_each_committed_object_is_its_golden() {
    for name in COMMITTED {
        golden(&format!("{name}.txt"), &explain(&object(name), &[]).expect(0).text());
    }
}

#[test]
fn the_json_of_each_committed_object_is_its_golden() {
    for name in COMMITTED {
        golden(&format!("{name}.jsonl"), &explain(&object(name), &["--json"]).expect(0).text());
    }
}

#[test]
fn bytes_and_every_field_of_the_smallest_filter_are_its_golden() {
    golden("pass-bytes.txt", &explain(&object("pass"), &["--bytes", "-v"]).expect(0).text());
}

#[test]
fn its_steps_and_patches_are_those_of_a_dry_run() {
    for name in COMMITTED {
        let explained = explain(&object(name), &["--json"]).expect(0).lines();
        let dry_run = run(["check", &object(name), "--btf", "none", "--dry-run", "--json"]).expect(0).lines();
        let mut explained: Vec<Json> =
            explained.into_iter().filter(|line| line["kind"] == "step" || line["kind"] == "patch").collect();
        // The explanation says more of each; what both say must be the same.
        for (line, dry) in explained.iter_mut().zip(&dry_run) {
            let dry = dry.as_object().unwrap();
            line.as_object_mut().unwrap().retain(|key, _| dry.contains_key(key));
        }
        assert_eq!(explained, dry_run, "{name}");
    }
}

#[test]
fn it_stops_after_the_stage_that_was_asked_for() {
    for (stage, last) in [("elf", "section"), ("maps", "mapdef"), ("reloc", "patch"), ("plan", "step")] {
        let ran = explain(&object("count"), &["--json", "--until", stage]).expect(0);
        assert_eq!(text(ran.lines().last().unwrap(), "kind"), last, "{stage}");
    }
    explain(&object("count"), &["--until", "attach"]).expect(2);
}

#[test]
fn one_program_of_several_can_be_chosen_and_by_default_all_are_explained() {
    let made = compile(
        "SEC(\"socket\") int first(struct __sk_buff *skb) { return skb->len; }
         SEC(\"?socket\") int shy(struct __sk_buff *skb) { return 0; }",
    );
    let fates = |more: &[&str]| {
        let programs = explain(&made.path(), &[&["--json"], more].concat()).expect(0).kind("program");
        programs.iter().map(|line| (text(line, "name").to_owned(), text(line, "fate").to_owned())).collect::<Vec<_>>()
    };
    let pair = |name: &str, fate: &str| (name.to_owned(), fate.to_owned());
    assert_eq!(fates(&[]), [pair("first", "load"), pair("shy", "skipped")]);
    assert_eq!(fates(&["--program", "shy"]), [pair("first", "skipped"), pair("shy", "load")]);
    explain(&made.path(), &["--program", "nosuch"]).expect(2);
    assert_eq!(explain(&made.path(), &["--program", "nosuch"]).text(), "", "nothing is explained before a wrong name");
}

#[test]
fn a_program_that_cannot_be_linked_is_explained_as_such_the_others_too_and_the_exit_code_is_3() {
    let made = compile(
        "extern int missing(int);
         SEC(\"socket\") int good(struct __sk_buff *skb) { return skb->len; }
         SEC(\"socket\") int bad(struct __sk_buff *skb) { return missing(skb->len); }",
    );
    let ran = explain(&made.path(), &["--json"]).expect(3);
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("`missing`"), "{}", ran.stderr);
    let error = ran.only("error");
    assert_eq!((ran.lines().last(), &error["code"]), (Some(&error), &3.into()));
    let programs = ran.kind("program");
    assert_eq!((text(&programs[0], "fate"), text(&programs[1], "fate")), ("load", "unlinkable"));
    assert_eq!(ran.kind("step").len(), 2, "the other is still planned");
    let plain = explain(&made.path(), &[]).expect(3).text();
    assert!(plain.contains("program `bad`, section socket: unlinkable"), "{plain}");
    explain(&made.path(), &["--until", "maps"]).expect(0);
}

#[test]
fn an_object_without_a_socket_filter_is_3_after_its_sections() {
    let made = compile("SEC(\"xdp\") int frames(void *ctx) { return 2; }");
    let ran = explain(&made.path(), &["--json"]).expect(3);
    assert!(ran.kind("section").iter().any(|line| line["name"] == "xdp"));
    assert!(text(&ran.only("error"), "message").contains("no socket filter"));
    explain(&made.path(), &["--section", "xdp"]).expect(0);
}

#[test]
fn what_cannot_be_read_is_3() {
    let whole = std::fs::read(object("count")).unwrap();
    explain("/no/such/filter.o", &[]).expect(3);
    for length in [0, 3, 63, 64, whole.len() / 2, whole.len() - 1] {
        explain(&Made::of(&whole[..length]).path(), &[]).expect(3);
        explain(&Made::of(&whole[..length]).path(), &["--json"]).expect(3).only("error");
    }
}

#[test]
fn the_object_may_come_from_standard_input() {
    let bytes = std::fs::read(object("pass")).unwrap();
    let ran = run_with_input(["explain", "-", "--until", "elf"], &bytes).expect(0);
    assert_eq!(ran.text(), explain(&object("pass"), &["--until", "elf"]).expect(0).text());
}

#[test]
fn a_variable_that_is_set_shows_in_the_bytes_that_are_written() {
    let value = |set: &[&str]| {
        let steps = explain(&object("drop"), &[&["--json"], set].concat()).expect(0).kind("step");
        let update = steps.into_iter().find(|step| step["call"] == "BPF_MAP_UPDATE_ELEM").unwrap();
        update["attr"]["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(value(&[]), "ffffffff");
    assert_eq!(value(&["--set", "longer_than=100"]), "64000000");
}

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
fn a_big_endian_object_is_explained_as_its_little_endian_twin_and_refused_here() {
    let c = include_str!("matrix/calls.c").replace("char _license[] SEC(\"license\") = \"GPL\";", "");
    let (big, little) = (compile_for("bpfeb", &c), compile_for("bpfel", &c));
    let of = |made: &Made| explain(&made.path(), &[]).expect(0).text();
    // But for the byte order, the tag, the lints and the folder of the source.
    let without = |text: String| {
        let (before, after) = (text.split("\nlints:").next().unwrap(), text.split("\n4. plan:").last().unwrap());
        let told = before
            .lines()
            .chain(after.lines())
            .filter(|line| !line.contains("64 bits") && !line.trim_start().starts_with("tag "));
        told.map(|line| line.rsplit("/test.c:").next().unwrap_or(line).to_owned()).collect::<Vec<_>>()
    };
    assert!(of(&big).contains("big-endian, shown with every number turned around"));
    for (one, two) in without(of(&big)).iter().zip(&without(of(&little))) {
        assert_eq!(one, two);
    }
    let lints = explain(&big.path(), &["--json"]).expect(0).kind("lint");
    assert!(lints.iter().any(|lint| lint["id"] == "big-endian"), "{lints:?}");
    let ran = run(["check", &big.path(), "--dry-run"]).expect(3);
    assert!(ran.stderr.contains("the object is big-endian (bpfeb), and this machine little-endian"), "{}", ran.stderr);
}

#[test]
fn who_else_would_load_it_is_said_of_each_program_with_the_reason() {
    let made = compile(
        "SEC(\"socket\") int plain(struct __sk_buff *skb) { return skb->len; }
         SEC(\"socket/web\") int web(struct __sk_buff *skb) { return skb->len > 100; }",
    );
    let ran = explain(&made.path(), &["--json"]).expect(0);
    let loads = ran.kind("loads_in");
    let refuses = |line: &Json, loader: &str| !line[loader].as_array().unwrap().is_empty();
    assert_eq!((refuses(&loads[1], "libbpf"), refuses(&loads[1], "aya")), (true, false), "{loads:?}");
    let lint = ran.only("lint");
    assert_eq!((text(&lint, "id"), text(&lint, "program")), ("short-return", "web"));
    let plain = explain(&made.path(), &[]).expect(0).text();
    for field in ["what", "why", "mend", "source"] {
        assert!(plain.contains(text(&lint, field)), "{field}: {plain}");
    }
    let libbpf = "program `web` loads in: libbpf no (section `socket/web` is not `socket`), cilium/ebpf yes, aya yes";
    assert!(plain.contains(libbpf), "{plain}");
    assert!(!explain(&made.path(), &["--until", "maps"]).expect(0).text().contains("loads in"));
}

#[test]
fn quiet_leaves_out_the_lessons_and_colour_is_for_headings() {
    let lesson = "An object for BPF is an ordinary relocatable ELF file";
    assert!(explain(&object("pass"), &[]).text().contains(lesson));
    assert!(!explain(&object("pass"), &["-q"]).text().contains(lesson));
    assert!(!explain(&object("pass"), &[]).text().contains('\u{1b}'), "standard output is no terminal here");
    assert!(explain(&object("pass"), &["--color", "always"]).text().starts_with("\u{1b}[1m1. elf"));
}

#[test]
#[ignore = "needs strace"]
fn it_makes_no_bpf_call() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("strace");
    for name in COMMITTED {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=bpf,socket", "-o"]).arg(&log);
        strace.args([MINIBPF, "explain", &object(name)]);
        let ran = Running::command(&mut strace).end().expect(0);
        assert!(ran.text().contains("BPF_PROG_LOAD"), "{}", ran.text());
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "{name}");
    }
}

#[test]
#[ignore = "needs root, to become nobody"]
fn nobody_can_use_it_and_is_told_the_same() {
    // Where the user nobody can reach them.
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    let (minibpf, filter) = (dir.path().join("minibpf"), dir.path().join("filter.o"));
    copy_file(MINIBPF, &minibpf);
    copy_file(&object("count"), &filter);
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]);
    nobody.arg(&minibpf).arg("explain").arg(&filter);
    let ran = Running::command(&mut nobody).end().expect(0);
    assert_eq!(ran.text(), run(["explain", &object("count")]).expect(0).text());
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

#[test]
#[ignore = "needs CAP_BPF"]
fn the_tag_that_is_shown_is_the_one_that_the_kernel_gives() {
    for name in COMMITTED {
        let explained = run(["explain", &object(name), "--json"]).expect(0).only("program");
        let tags = [text(&explained, "tag_sha256"), text(&explained, "tag_sha1")];
        let checked = run(["check", &object(name), "--json"]).expect(0).only("program");
        assert!(tags.contains(&text(&checked, "tag")), "{name}: {tags:?}, the kernel says {}", checked["tag"]);
        assert!(explain(&object(name), &[]).text().contains(&format!("tag {}", tags[0])), "{name}");
    }
}

#[test]
#[ignore = "needs llvm-readelf"]
fn names_types_flags_and_sizes_of_sections_are_readelfs() {
    for name in COMMITTED {
        let readelf = output_of(Command::new("llvm-readelf-14").args(["-SW", &object(name)]));
        for line in explain(&object(name), &["--json", "--until", "elf"]).expect(0).kind("section").iter().skip(1) {
            let start = format!("[{:>2}] {} ", line["index"].as_u64().unwrap(), text(line, "name"));
            let theirs = readelf.lines().find(|line| line.contains(&start)).unwrap_or_else(|| panic!("no {start}"));
            let fields: Vec<_> = theirs.split(&start).nth(1).unwrap().split_whitespace().collect();
            assert_eq!(fields[0], text(line, "type"), "{theirs}");
            assert_eq!(u64::from_str_radix(fields[2], 16).ok(), line["file_offset"].as_u64(), "{theirs}");
            assert_eq!(u64::from_str_radix(fields[3], 16).ok(), line["size"].as_u64(), "{theirs}");
            let flags = if fields.len() == 9 { fields[5] } else { "" };
            assert_eq!(flags, text(line, "flags"), "{theirs}");
        }
    }
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

#[test]
fn with_ascii_the_letters_of_a_source_line_are_escaped() {
    let made = compile(
        "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, int); __uint(max_entries, 1); } ports SEC(\".maps\"); SEC(\"socket\") int keeps(struct __sk_buff *skb) { int x = 0; return bpf_map_lookup_elem(&ports, &x) ? skb->len : 0; /* café … */ }",
    );
    let plain = explain(&made.path(), &["--until", "reloc"]).expect(0).text();
    assert!(plain.contains("café …"), "{plain}");
    let escaped = explain(&made.path(), &["--until", "reloc", "--ascii"]).expect(0).text();
    assert!(escaped.is_ascii() && escaped.contains("caf\\u{e9} ..."), "{escaped}");
}
