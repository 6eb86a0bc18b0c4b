//! What minibpf loads and libbpf refuses: each on purpose, with its reason. The list in `docs/differences.md` is made of this one.

use crate::support::docs::holds_list;
use crate::support::loaded::by_libbpf;
use crate::support::objects::compile;
use crate::support::process::run;

/// One difference.
struct Difference {
    what: &'static str,
    why: &'static str,
    /// The program that must load.
    program: &'static str,
    c: &'static str,
}

const DIFFERENCES: [Difference; 13] = [
    Difference {
        what: "`SEC(\"socket/http\")`",
        why: "cilium/ebpf and aya name sections so; what follows the slash is a name",
        program: "filter",
        c: "SEC(\"socket/http\") int filter(struct __sk_buff *skb) { return skb->len; }",
    },
    Difference {
        what: "`SEC(\"socket1\")`, `SEC(\"socket_filter\")`",
        why: "the kernel's old samples and cilium/ebpf name sections so",
        program: "filter",
        c: "SEC(\"socket1\") int filter(struct __sk_buff *skb) { return skb->len; }",
    },
    Difference {
        what: "a section of another kind beside it",
        why: "a loader of socket filters leaves it alone",
        program: "filter",
        c: "SEC(\"socket\") int filter(struct __sk_buff *skb) { return skb->len; }
            SEC(\"something_else\") int other(void *ctx) { return 0; }",
    },
    Difference {
        what: "a `static` program",
        why: "`static` speaks of the names that other objects see, not of the kernel",
        program: "filter",
        c: "SEC(\"socket\") static int filter(struct __sk_buff *skb) { return skb->len; }",
    },
    Difference {
        what: "a `static` map",
        why: "the record names the section and the instruction the offset: that is enough",
        program: "filter",
        c: "static struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); }
            hits SEC(\".maps\");
            SEC(\"socket\") int filter(struct __sk_buff *skb) { __u32 key = 0; return !bpf_map_lookup_elem(&hits, &key); }",
    },
    Difference {
        what: "map definitions from before BTF (`SEC(\"maps\")`)",
        why: "ten years of filters were written so; libbpf read them until 1.0",
        program: "filter",
        c: "struct { __u32 type, key_size, value_size, max_entries, map_flags; } hits SEC(\"maps\") = { 2, 4, 8, 1, 0 };
            SEC(\"socket\") int filter(struct __sk_buff *skb) { __u32 key = 0; return !bpf_map_lookup_elem(&hits, &key); }",
    },
    Difference {
        what: "a call of a function in another section of programs",
        why: "a function is found by section and offset, whatever the section",
        program: "filter",
        c: "SEC(\"socket/helper\") __attribute__((noinline)) int helper(struct __sk_buff *skb)
            { asm volatile(\"\" : \"+r\"(skb)); return skb->len; }
            SEC(\"socket\") int filter(struct __sk_buff *skb) { return helper(skb); }",
    },
    Difference {
        what: "a map that no program uses and the kernel would refuse",
        why: "it is not created",
        program: "filter",
        c: "struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 0); __type(key, __u32); __type(value, __u64); }
            unused SEC(\".maps\");
            SEC(\"socket\") int filter(struct __sk_buff *skb) { return skb->len; }",
    },
    Difference {
        what: "a ring buffer whose definition says what its records are (`__type(value, struct event)`)",
        why: "the kernel wants neither key nor value; readers want the type",
        program: "filter",
        c: "struct event { __u32 len; };
            struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); __type(value, struct event); }
            events SEC(\".maps\");
            SEC(\"socket\") int filter(struct __sk_buff *skb)
            { struct event e = { skb->len }; return bpf_ringbuf_output(&events, &e, sizeof(e), 0); }",
    },
    Difference {
        what: "a program beside one that calls a function which was never linked in",
        why: "only the program that needs it fails",
        program: "filter",
        c: "int nowhere(int x);
            SEC(\"socket\") int other(struct __sk_buff *skb) { return nowhere(skb->len); }
            SEC(\"socket\") int filter(struct __sk_buff *skb) { return skb->len; }",
    },
    Difference {
        what: "a program beside one that wants an option which this kernel has not",
        why: "only the program that needs it fails",
        program: "filter",
        c: "extern int CONFIG_NOBODY_HAS_THIS __attribute__((section(\".kconfig\")));
            SEC(\"socket\") int other(struct __sk_buff *skb) { return CONFIG_NOBODY_HAS_THIS; }
            SEC(\"socket\") int filter(struct __sk_buff *skb) { return skb->len; }",
    },
    Difference {
        what: "a kfunc whose declaration points to a struct that is only declared (`struct bpf_dynptr;`)",
        why: "a pointer to it says all that a call needs; the verifier checks what is passed",
        program: "filter",
        c: "struct bpf_dynptr;
            extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __attribute__((section(\".ksyms\")));
            SEC(\"socket\") int filter(struct __sk_buff *skb)
            { __u64 room[2]; return bpf_dynptr_from_skb(skb, 0, (struct bpf_dynptr *)room); }",
    },
    Difference {
        what: "a program beside one that the verifier refuses",
        why: "each has a verdict of its own",
        program: "filter",
        c: "SEC(\"socket\") int other(struct __sk_buff *skb) { return *(__u32 *)((char *)skb + 76); }
            SEC(\"socket\") int filter(struct __sk_buff *skb) { return skb->len; }",
    },
];

#[test]
#[ignore = "needs CAP_BPF"]
fn minibpf_loads_what_libbpf_refuses_where_there_is_a_reason() {
    for Difference { what, program, c, .. } in DIFFERENCES {
        let made = compile(c);
        let ran = run(["check", &made.path(), "--json"]);
        let lines = ran.kind("program");
        let line = lines.iter().find(|line| line["name"] == program).unwrap();
        assert_eq!((&line["verdict"], &line["tag_computed"]), (&"loaded".into(), &true.into()), "{what}: {line}");
        let theirs = by_libbpf(&made.path());
        assert!(theirs.is_err(), "{what}: libbpf loads it as well: {theirs:?}");
    }
}

#[test]
fn the_list_in_the_docs_is_this_one() {
    let rows = DIFFERENCES.iter().map(|Difference { what, why, .. }| format!("| {what} | {why} |\n"));
    let list = format!("| libbpf refuses | minibpf loads it, because |\n| --- | --- |\n{}", rows.collect::<String>());
    holds_list("differences.md", "made by tests/kernel/differences.rs", &list);
}
