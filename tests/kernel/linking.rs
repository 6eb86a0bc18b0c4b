//! What the linker made, judged by the kernel: calls, callbacks, several programs, maps, variables.

use crate::support::objects::{Made, compile, object};
use crate::support::process::run;
use crate::support::{Json, number, text};

/// Checks an object all of whose programs must load with the tag that minibpf computed; returns the `program` lines.
#[track_caller]
fn all_load(made: &Made, more: &[&str]) -> Vec<Json> {
    let path = made.path();
    let lines = run(["check", &path, "--json"].iter().chain(more)).expect(0).kind("program");
    for line in &lines {
        assert_eq!((text(line, "verdict"), &line["tag_computed"]), ("loaded", &Json::Bool(true)), "{line}");
    }
    lines
}

fn names(lines: &[Json]) -> Vec<&str> {
    lines.iter().map(|line| text(line, "name")).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn two_programs_of_one_section_are_two_programs() {
    let made = compile(
        "SEC(\"socket\") int all(struct __sk_buff *skb) { return skb->len; }
         SEC(\"socket\") int none(struct __sk_buff *skb) { return 0; }",
    );
    let lines = all_load(&made, &[]);
    assert_eq!(names(&lines), ["all", "none"]);
    assert_ne!(lines[0]["tag"], lines[1]["tag"]);
    assert_eq!(names(&all_load(&made, &["--program", "none"])), ["none"]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_program_brings_the_functions_that_it_calls() {
    let made = compile(
        "__attribute__((noinline)) int fivefold(int x) { asm volatile(\"\" : \"+r\"(x)); return x * 5; }
         static __attribute__((noinline)) int twice_fivefold(int x) { asm volatile(\"\" : \"+r\"(x)); return fivefold(x) * 5; }
         SEC(\"socket\") int calls(struct __sk_buff *skb) { return twice_fivefold(skb->len) + fivefold(skb->len); }
         SEC(\"socket\") int does_not(struct __sk_buff *skb) { return skb->len; }",
    );
    let lines = all_load(&made, &[]);
    assert_eq!(names(&lines), ["calls", "does_not"]);
    assert_eq!(number(&lines[1], "insns"), 2);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_callback_is_given_to_a_helper_by_its_place() {
    let made = compile(
        "static long (*const bpf_loop)(__u32 n, void *callback, void *ctx, __u64 flags) = (void *)181;
         static long step(__u32 n, __u64 *sum) { *sum += n; return 0; }
         SEC(\"socket\") int loops(struct __sk_buff *skb)
         {
             __u64 sum = 0;
             bpf_loop(10, step, &sum, 0);
             return sum == 45 ? skb->len : 0;
         }",
    );
    assert_eq!(names(&all_load(&made, &[])), ["loops"]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_map_that_no_program_to_be_loaded_uses_is_not_created() {
    let made = compile(
        "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); }
         used SEC(\".maps\"), by_the_other SEC(\".maps\"), by_nobody SEC(\".maps\");
         SEC(\"socket\") int one(struct __sk_buff *skb) { __u32 k = 0; return !!bpf_map_lookup_elem(&used, &k); }
         SEC(\"socket\") int other(struct __sk_buff *skb) { __u32 k = 0; return !!bpf_map_lookup_elem(&by_the_other, &k); }",
    );
    let created = |more: &[&str]| {
        let path = made.path();
        let ran = run(["check", &path, "--json", "--trace"].iter().chain(more)).expect(0);
        let maps = ran.kind("syscall").into_iter().filter(|call| call["call"] == "BPF_MAP_CREATE");
        maps.map(|call| text(&call["attr"], "map_name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(created(&[]), ["used", "by_the_other"]);
    assert_eq!(created(&["--program", "one"]), ["used"]);
    let ran = run(["check", &made.path(), "--dry-run"]).expect(0);
    assert!(ran.stderr.contains("`by_nobody` is not created"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn maps_and_variables_that_only_the_file_knows_apart_are_told_apart() {
    // `static` things have no symbol of their own in a relocation record: only section and offset.
    let made = compile(
        "static struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); }
         first SEC(\".maps\");
         static struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 7); __type(key, __u64); __type(value, __u64); }
         second SEC(\".maps\");
         static volatile __u32 low = 1, high = 2;
         SEC(\"socket\") int both(struct __sk_buff *skb)
         {
             __u32 narrow = low;
             __u64 wide = high;
             return !!bpf_map_lookup_elem(&first, &narrow) + !!bpf_map_lookup_elem(&second, &wide);
         }",
    );
    let program = &all_load(&made, &[])[0];
    let maps: Vec<_> =
        program["maps"].as_array().unwrap().iter().map(|map| (text(map, "name"), text(map, "type"))).collect();
    let mut sorted = maps.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [(".data", "array"), ("first", "array"), ("second", "hash")]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_constant_that_was_set_is_known_to_the_verifier() {
    // With the limit of 0xffffffff no packet is longer, and the kernel removes the code that counts the dropped ones.
    let xlated = |set: &[&str]| {
        let object = object("drop");
        number(&run(["check", &object, "--json"].iter().chain(set)).expect(0).only("program"), "bytes_xlated")
    };
    assert!(xlated(&[]) < xlated(&["--set", "longer_than=100"]));
    // In another spelling it is the same value.
    assert_eq!(xlated(&["--set", "longer_than=0xffffffff"]), xlated(&[]));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_licence_of_the_object_decides_about_gpl_only_helpers() {
    // bpf_trace_printk (6) is for GPL programs alone; the object says "GPL", unless a byte of it is changed.
    let made = compile(
        "static long (*const bpf_trace_printk)(const char *text, __u32 size, ...) = (void *)6;
         SEC(\"socket\") int prints(struct __sk_buff *skb)
         {
             char text[] = \"x\";
             if (skb->len == 0xffffffff)
                 bpf_trace_printk(text, sizeof(text));
             return skb->len;
         }",
    );
    assert_eq!(all_load(&made, &[])[0]["gpl_compatible"], true);
    let mut bytes = made.bytes();
    let at = bytes.windows(4).position(|four| four == b"GPL\0").unwrap();
    bytes[at] = b'g';
    let program = run(["check", &Made::of(&bytes).path(), "--json"]).expect(5).only("program");
    assert_eq!((text(&program, "verdict"), text(&program, "errno")), ("rejected", "EINVAL"));
    assert!(text(&program, "log").contains("GPL"), "{program}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_key_type_that_the_kernel_does_not_take_goes_without_types() {
    let made = compile(
        "enum index { FIRST, SECOND };
         struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 2); __type(key, enum index); __type(value, __u64); }
         by_enum SEC(\".maps\");
         struct { __uint(type, 11); __uint(max_entries, 2); __uint(map_flags, 1); __type(key, __u64); __type(value, __u64); }
         by_prefix SEC(\".maps\");
         SEC(\"socket\") int looks(struct __sk_buff *skb)
         {
             enum index one = SECOND;
             __u64 key = 32;
             return bpf_map_lookup_elem(&by_enum, &one) && bpf_map_lookup_elem(&by_prefix, &key) ? 0 : skb->len;
         }",
    );
    assert_eq!(names(&all_load(&made, &[])), ["looks"]);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_variable_that_should_point_to_another_is_warned_of() {
    let made = compile(
        "__u32 x = 1;
         __u32 *volatile pointer = &x;
         SEC(\"socket\") int points(struct __sk_buff *skb) { return pointer ? 0 : skb->len; }",
    );
    let ran = run(["check", &made.path(), "--json"]).expect(0);
    let warning = ran.only("warning");
    assert!(text(&warning, "message").contains("should point to `x`"), "{warning}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_section_that_does_not_exist_is_a_usage_error_that_lists_those_there_are() {
    let ran = run(["check", &object("pass"), "--section", "xdp"]).expect(2);
    assert!(ran.stderr.contains("no section `xdp` with code in this object; there are: socket"), "{}", ran.stderr);
}
