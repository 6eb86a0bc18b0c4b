//! What each row of the table says, done.

use std::net::UdpSocket;
use std::process::Command;

use super::{Proof, load};
use crate::support::bpffs::Bpffs;
use crate::support::everybody::{nobody_with, root_with};
use crate::support::netns::Netns;
use crate::support::objects::{Made, compile, object};
use crate::support::process::{Running, run};
use crate::support::server::{HttpServer, udp_owner};
use crate::support::{Json, number, text};

pub(super) fn none(proof: &Proof) {
    let nobody = nobody_with(&[]);
    let count = proof.everybody.object(object("count"));
    for args in [&["explain", &count][..], &["check", &count, "--dry-run"], &["sockets"]] {
        proof.everybody.run(&nobody, args).expect(0);
    }
    proof.everybody.run(&nobody, &["doctor"]).expect(4);
    let fs = Bpffs::mount();
    run(["check", &object("count"), "--pin", &fs.path("x")]).expect(0);
    let open = [fs.path(""), fs.path("x"), fs.path("x/maps"), fs.path("x/count"), fs.path("x/maps/ports")];
    assert!(Command::new("chmod").arg("777").args(&open).status().unwrap().success());
    let args = ["attach", &fs.path("x/count"), "--listen", "udp:127.0.0.1:0", "--json"];
    let running = proof.everybody.start(&nobody, &args);
    running.line("attached");
    running.interrupt();
    running.end().expect(0);
    proof.everybody.run(&nobody, &["dump", &fs.path("x/maps/ports")]).expect(0);
}

pub(super) fn cap_bpf(proof: &Proof) {
    let count = proof.everybody.object(object("count"));
    let server = HttpServer::start();
    let mut running = proof.everybody.start(&proof.with(&[]), &["load", &count, "--connect", &server.target()]);
    running.send(HttpServer::REQUEST);
    running.end_input();
    let ran = running.end().expect(0);
    assert!(ran.text().starts_with("HTTP/1.0 200"), "{}", ran.text());
    assert!(ran.stderr.contains("run count: needs CAP_SYS_ADMIN\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("ports (hash, 1 of at most 1024 entries)"), "its maps were read: {}", ran.stderr);

    let unixgram = format!("unixgram:@minibpf-least-{}", std::process::id());
    for target in [["--listen", "127.0.0.1:0"], ["--listen", "udp:[::1]:0"], ["--listen", &unixgram]] {
        let summary = proof.works(&[], &load(&count, &target)).summary();
        assert_eq!((&summary["run_cnt"], &summary["run_cnt_needs"]), (&Json::Null, &"CAP_SYS_ADMIN".into()));
        assert!(number(&summary, "bytes_xlated") > 0, "what only CAP_BPF shows was asked in time: {summary}");
        proof.is_refused(&[], &load(&count, &target));
    }
    let packets = ["run", &count, "icmp", "tcp:80:GET /", "--json"];
    assert_eq!(proof.works(&[], &packets).kind("packet").len(), 2);
    proof.is_refused(&[], &packets);
    proof.works(&[], &["check", &count, "--json"]);
    proof.is_refused(&[], &["check", &count, "--json"]);
}

pub(super) fn cap_net_raw(proof: &Proof) {
    let pass = proof.everybody.object(object("pass"));
    let targets: [&[&str]; 4] = [
        &["--packet", "lo"],
        &["--packet", "lo", "--cooked"],
        &["--listen", "raw:icmp"],
        &["--attach", "fanout:lo:4711"],
    ];
    for target in targets {
        proof.works(&["CAP_BPF"], &load(&pass, target));
        proof.is_refused(&["CAP_BPF"], &load(&pass, target));
    }
}

/// /dev/net/tun may be root's alone, so it is root who has no other capability.
pub(super) fn cap_net_admin(proof: &Proof) {
    let (netns, pass) = (Netns::new(), proof.everybody.object(object("pass")));
    let args = load(&pass, &["--attach", "tun-filter:least0"]);
    let in_netns = |capabilities: &[&str]| [netns.exec(), root_with(capabilities)].concat();
    proof.everybody.run(&in_netns(&["CAP_BPF", proof.capability]), &args).expect(0);
    proof.everybody.run(&in_netns(&["CAP_BPF"]), &args).expect(4).names(proof.capability);
    // An XSKMAP: sockets of AF_XDP.
    let xskmap = compile(
        "struct { __uint(type, 17); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); } peers SEC(\".maps\");
         SEC(\"socket\") int filter(struct __sk_buff *skb) { __u32 key = 0; return bpf_map_lookup_elem(&peers, &key) ? skb->len : 0; }",
    );
    let xskmap = proof.everybody.object(xskmap.path());
    proof.works(&["CAP_BPF"], &["check", &xskmap, "--json"]);
    proof.is_refused(&["CAP_BPF"], &["check", &xskmap, "--json"]);
}

pub(super) fn cap_net_bind_service(proof: &Proof) {
    let (netns, pass) = (Netns::new(), proof.everybody.object(object("pass")));
    for target in ["udp:127.0.0.1:53", "127.0.0.1:80"] {
        let args = load(&pass, &["--listen", target]);
        proof.everybody.run(&[netns.exec(), proof.with(&["CAP_BPF"])].concat(), &args).expect(0);
        let without = [netns.exec(), nobody_with(&["CAP_BPF"])].concat();
        proof.everybody.run(&without, &args).expect(4).names(proof.capability);
    }
}

pub(super) fn cap_sys_ptrace(proof: &Proof) {
    let pass = proof.everybody.object(object("pass"));
    let (_owner, by_fd, by_address) = udp_owner(&[]);
    let by_fd = load(&pass, &["--attach", &by_fd]);
    let by_address = load(&pass, &["--attach", &by_address]);
    assert_eq!(proof.works(&["CAP_BPF"], &by_fd).summary()["ended"], "duration over");
    assert_eq!(proof.works(&["CAP_BPF", "CAP_DAC_READ_SEARCH"], &by_address).summary()["ended"], "duration over");
    proof.is_refused(&["CAP_BPF"], &by_fd);
    proof.is_refused(&["CAP_BPF", "CAP_DAC_READ_SEARCH"], &by_address);
    // Of one's own user's process, which has no capabilities, it takes none.
    let (_owner, by_fd, by_address) = udp_owner(&nobody_with(&[]));
    for at in [by_fd, by_address] {
        let ran = proof.everybody.run(&nobody_with(&["CAP_BPF"]), &load(&pass, &["--attach", &at])).expect(0);
        assert_eq!(ran.summary()["ended"], "duration over");
        run(["detach", "--attach", &at]).expect(6);
    }
}

pub(super) fn cap_sys_admin(proof: &Proof) {
    let (count, everybody) = (proof.everybody.object(object("count")), &proof.everybody);
    let other = Running::start(["load", &object("count"), "--listen", "udp:127.0.0.1:0", "--json"]);
    let loaded = other.line("loaded");
    other.line("attached");
    let id = format!("id:{}", loaded["id"]);
    let attach = ["attach", &id, "--listen", "udp:127.0.0.1:0", "--json"];
    let running = everybody.start(&proof.with(&[]), &attach);
    running.line("attached");
    running.interrupt();
    running.end().expect(0);
    proof.is_refused(&["CAP_BPF"], &attach);
    for what in [format!("prog:{}", loaded["id"]), format!("map:{}", loaded["maps"][2]["id"])] {
        proof.works(&[], &["dump", &what, "--json"]);
        proof.is_refused(&["CAP_BPF"], &["dump", &what, "--json"]);
    }
    let summary = proof.works(&[], &load(&count, &["--listen", "udp:127.0.0.1:0"])).summary();
    assert_eq!((&summary["run_cnt"], &summary["run_cnt_needs"]), (&0.into(), &Json::Null));
    let real = ["run", &count, "udp:5353:x", "--as", "udp", "--json"];
    proof.works(&["CAP_NET_ADMIN"], &real);
    proof.is_refused(&["CAP_BPF", "CAP_NET_ADMIN"], &real);
}

pub(super) fn cap_perfmon(proof: &Proof) {
    let made = |source: &str| proof.everybody.object(compile(source).path());
    let perf = made(
        "static long (*const bpf_perf_event_output)(void *ctx, void *map, __u64 flags, void *data, __u64 size) = (void *)25;
         struct { __uint(type, 4); __uint(key_size, 4); __uint(value_size, 4); } events SEC(\".maps\");
         SEC(\"socket\") int filter(struct __sk_buff *skb)
         { __u32 len = skb->len; bpf_perf_event_output(skb, &events, 0xffffffffULL, &len, sizeof(len)); return 0; }",
    );
    let listening = load(&perf, &["--listen", "udp:127.0.0.1:0"]);
    let running = proof.everybody.start(
        &proof.with(&["CAP_BPF"]),
        &[&listening[..2], &["--count", "1"], &listening[2..4], &["--json"]].concat(),
    );
    let to = text(&running.line("attached"), "local").to_owned();
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", to).unwrap();
    assert_eq!(number(&running.end().expect(0).summary(), "events"), 1);
    let paranoid: i32 =
        std::fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").unwrap().trim().parse().unwrap();
    assert!(paranoid > 0, "kernel.perf_event_paranoid is {paranoid}: without CAP_PERFMON it is read all the same");
    proof.is_refused(&["CAP_BPF"], &listening);

    let traces = "static long (*const bpf_trace_printk)(const char *format, __u32 size, ...) = (void *)6;
                  SEC(\"socket\") int filter(struct __sk_buff *skb)
                  { char text[] = \"seen\"; bpf_trace_printk(text, sizeof(text)); return skb->len; }";
    let leaks = "SEC(\"socket\") int filter(struct __sk_buff *skb) { return (long)skb; }";
    for source in [traces, leaks] {
        let path = made(source);
        let args = load(&path, &["--listen", "udp:127.0.0.1:0"]);
        proof.works(&["CAP_BPF"], &args);
        proof.is_refused(&["CAP_BPF"], &args);
    }
}

fn address(declaration: &str) -> Made {
    compile(&format!(
        "extern const void bpf_prog_put __attribute__((section(\".ksyms\"))) {declaration};
         SEC(\"socket\") int address(struct __sk_buff *skb) {{ return (__u64)&bpf_prog_put >> 32; }}"
    ))
}

pub(super) fn cap_syslog(proof: &Proof) {
    for declaration in ["", "__attribute__((weak))"] {
        let path = proof.everybody.object(address(declaration).path());
        let args = load(&path, &["--listen", "udp:127.0.0.1:0"]);
        proof.works(&["CAP_BPF"], &args);
        let error = proof.is_refused(&["CAP_BPF"], &args);
        assert!(text(&error, "message").contains("`bpf_prog_put`: the kernel hides its address"), "{error}");
        // What cannot be linked is said of each program; nothing is loaded.
        let ran = proof.everybody.run(&nobody_with(&["CAP_BPF"]), &["check", &path, "--json"]).expect(3);
        let program = ran.only("program");
        assert_eq!(text(&program, "verdict"), "unlinkable");
        assert!(text(&program, "error").contains("hides its address"), "{program}");
    }
}
