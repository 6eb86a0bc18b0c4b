//! What minibpf says of its system calls, held against those who watched: strace, its own memory, bpftool, and the plan.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod compare;
mod descriptors;
mod hooks;
mod insns;
mod memory;
mod plan;
mod strace;
mod text;

use support::bpffs::Bpffs;
use support::objects::{COMMITTED, compile, object};
use support::server::answering;
use support::{Json, number, unhex};

/// A filter that the verifier refuses.
const REFUSED: &str = "SEC(\"socket\") int reads_data(struct __sk_buff *skb) { return *(__u32 *)((char *)skb + 76); }";

/// The calls of a whole load, as strace saw them and as minibpf says them.
fn load_under_strace(name: &str) -> (Vec<strace::Call>, Vec<Json>) {
    let server = answering("127.0.0.1", b"HTTP/1.0 200 OK\r\n\r\n");
    let args = ["load", &object(name), "--connect", &server.target(), "--json", "--trace"];
    let (calls, ran) = strace::strace(&args, b"GET / HTTP/1.0\r\n\r\n");
    (calls, ran.expect(0).lines())
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn every_call_that_minibpf_shows_is_the_one_that_strace_saw() {
    for name in COMMITTED {
        let (seen, lines) = load_under_strace(name);
        compare::all(&seen, &lines);
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn of_a_refused_program_both_tries_are_shown() {
    let made = compile(REFUSED);
    for command in [&["check"][..], &["load", "--connect", "127.0.0.1:9"]] {
        let path = made.path();
        let args: Vec<_> = command.iter().copied().chain([path.as_str(), "--json", "--trace"]).collect();
        let (seen, ran) = strace::strace(&args, b"");
        let lines = ran.expect(5).lines();
        compare::all(&seen, &lines);
        let tries: Vec<_> =
            compare::traced(&lines).into_iter().filter(|call| call["call"] == "BPF_PROG_LOAD").collect();
        let levels: Vec<_> = tries.iter().map(|call| number(&call["attr"], "log_level")).collect();
        assert_eq!(levels, [0, 1]);
        assert!(tries.iter().all(|call| call["errno"] == "EACCES"), "{tries:?}");
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn an_object_with_calls_callbacks_and_static_maps_is_shown_as_strace_saw_it() {
    let made = compile(
        "static long (*const bpf_loop)(__u32 n, void *callback, void *ctx, __u64 flags) = (void *)181;
         static struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); }
         first SEC(\".maps\");
         static const volatile __u32 rounds = 10;
         static long step(__u32 n, __u64 *sum) { *sum += n; return 0; }
         static __attribute__((noinline)) int plus(int x) { asm volatile(\"\" : \"+r\"(x)); return x + 5; }
         SEC(\"socket\") int everything(struct __sk_buff *skb)
         {
             __u64 sum = 0;
             __u32 key = 0;
             bpf_loop(rounds, step, &sum, 0);
             return plus(skb->len) + sum + !!bpf_map_lookup_elem(&first, &key);
         }",
    );
    let (seen, ran) = strace::strace(&["check", &made.path(), "--json", "--trace"], b"");
    let lines = ran.expect(0).lines();
    compare::all(&seen, &lines);
    assert!(seen.iter().any(|call| call.command() == "BPF_MAP_FREEZE"), "{seen:?}");
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn pins_and_reused_maps_are_shown_as_strace_saw_them() {
    let fs = Bpffs::mount();
    let (pins, others) = (fs.path("x"), fs.path("y"));
    let ports = format!("ports={}", fs.path("x/maps/ports"));
    let commands = |args: &[&str], code: i32| {
        let args: Vec<_> = ["check", "--json", "--trace"].iter().chain(args).copied().collect();
        let (seen, ran) = strace::strace(&args, b"");
        compare::all(&seen, &ran.expect(code).lines());
        seen.iter().map(|call| call.command().to_owned()).filter(|command| command.contains("OBJ_")).collect::<Vec<_>>()
    };
    let (pin, get, info) = ("BPF_OBJ_PIN", "BPF_OBJ_GET", "BPF_OBJ_GET_INFO_BY_FD");
    let pinned = commands(&[&object("count"), "--pin", &pins], 0);
    assert_eq!(pinned, [pin, pin, pin, pin, info, info, info, info]);
    let reused = commands(&[&object("count"), "--map", &ports, "--pin", &others], 0);
    assert_eq!(reused, [get, info, pin, pin, pin, info, info, info, info]);
    let differs = commands(&[&object("http"), "--map", &format!("events={}", fs.path("x/maps/ports"))], 3);
    assert_eq!(differs, [get, info]);
    let missing = commands(&[&object("http"), "--map", &format!("events={}", fs.path("x/nothing"))], 3);
    assert_eq!(missing, [get]);
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn the_bytes_behind_each_pointer_are_those_in_minibpfs_memory() {
    let mut compared = 0;
    for name in COMMITTED {
        let server = answering("127.0.0.1", b"HTTP/1.0 200 OK\r\n\r\n");
        let args = ["load", &object(name), "--connect", &server.target(), "--json", "--trace"];
        let (seen, ran) = memory::watch(&args, b"GET / HTTP/1.0\r\n\r\n");
        let lines = ran.expect(0).lines();
        let said: Vec<_> = compare::traced(&lines).into_iter().filter(|call| call["syscall"] == "bpf").collect();
        assert_eq!(seen.len(), said.len(), "{name}");
        for (seen, said) in seen.iter().zip(said) {
            let failed = seen.ret < 0;
            assert_eq!(if failed { -1 } else { seen.ret }, number(said, "ret"), "{said}");
            for field in ["btf", "insns", "license", "func_info", "line_info", "key", "value"] {
                let said = said["attr"][field].as_str().filter(|said| *said != "...");
                let said = said.map(|said| if field == "license" { said.as_bytes().to_vec() } else { unhex(said) });
                assert_eq!(seen.behind.get(field), said.as_ref(), "{name}: {field}");
                compared += usize::from(said.is_some());
            }
            if said["call"] == "BPF_ENABLE_STATS" {
                // strace shows its attr only as an address. BPF_STATS_RUN_TIME is 0.
                assert_eq!((seen.u32_at(0), &said["attr"]["type"]), (0, &"BPF_STATS_RUN_TIME".into()));
            }
        }
    }
    assert!(compared >= 5 * COMMITTED.len(), "only {compared} fields were compared");
}
