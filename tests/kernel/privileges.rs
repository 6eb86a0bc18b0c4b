//! Which privilege is for what: the table of docs/privileges.md, a row proved both ways. With the capability alone, as the user
//! nobody, it works; without it the command ends with 4 and names it.

use std::net::UdpSocket;
use std::process::Command;

use crate::support::bpffs::Bpffs;
use crate::support::docs::assert_made;
use crate::support::everybody::{Everybody, nobody_with, root_with};
use crate::support::netns::Netns;
use crate::support::objects::{Made, compile, object};
use crate::support::process::{Ran, Running, run};
use crate::support::server::HttpServer;
use crate::support::{Json, number, text};

/// A row of the table.
struct Row {
    capability: &'static str,
    allows: &'static str,
    without: &'static str,
    kernel: &'static str,
    proof: fn(&Proof),
}

/// The row's capability, to be had and not to be had.
struct Proof {
    everybody: Everybody,
    capability: &'static str,
}

/// A row and its test, which goes by the row's name: neither is there without the other.
macro_rules! rows {
    ($($test:ident: $row:expr;)*) => {
        const ROWS: &[(&str, Row)] = &[$((stringify!($test), $row)),*];
        $(
            #[test]
            #[ignore = "needs root, to drop capabilities"]
            fn $test() {
                let (_, row) = ROWS.iter().find(|(name, _)| *name == stringify!($test)).unwrap();
                (row.proof)(&Proof { everybody: Everybody::new(), capability: row.capability });
            }
        )*
    };
}

rows! {
    without_any_capability_objects_are_read_and_a_pinned_program_is_attached: Row {
        capability: "none",
        allows: "`explain`, `report`, `--dry-run`, `doctor`, `sockets` of one's own processes; `attach` and `load --attach` on a socket of one's own; `attach`, `dump` and `set` of a pin whose file's mode allows it",
        without: "",
        kernel: "SO_ATTACH_BPF asks for none: `sk_attach_bpf()`, net/core/filter.c",
        proof: none,
    };
    cap_bpf_alone_loads_attaches_runs_and_reads_its_maps: Row {
        capability: "CAP_BPF",
        allows: "`check`, `load` on TCP, UDP and UNIX sockets, `run`; maps, globals, ring buffers, BTF and CO-RE",
        without: "4, unless `kernel.unprivileged_bpf_disabled` is 0",
        kernel: "`bpf_prog_load()`, `map_create()`, kernel/bpf/syscall.c; since 5.8",
        proof: cap_bpf,
    };
    cap_net_raw_opens_packet_and_raw_sockets: Row {
        capability: "CAP_NET_RAW",
        allows: "`--packet`, `--listen raw:`, `fanout:`",
        without: "4",
        kernel: "`packet_create()`, net/packet/af_packet.c; `inet_create()`, net/ipv4/af_inet.c",
        proof: cap_net_raw,
    };
    cap_net_admin_makes_tap_devices: Row {
        capability: "CAP_NET_ADMIN",
        allows: "`tun-filter:` and `tun-steer:` of a device that is new, or somebody else's; maps of sockets and of devices",
        without: "4",
        kernel: "`tun_set_iff()`, drivers/net/tun.c; `map_create()`, kernel/bpf/syscall.c",
        proof: cap_net_admin,
    };
    cap_net_bind_service_takes_a_low_port: Row {
        capability: "CAP_NET_BIND_SERVICE",
        allows: "`--listen` and `reuseport:` at a port below `net.ipv4.ip_unprivileged_port_start` (1024)",
        without: "4",
        kernel: "`__inet_bind()`, net/ipv4/af_inet.c",
        proof: cap_net_bind_service,
    };
    cap_sys_ptrace_reaches_sockets_of_other_users: Row {
        capability: "CAP_SYS_PTRACE",
        allows: "`pid:PID:FD` of another user's process. `pid:PID:tcp:ADDR`, `pid:PID:udp:ADDR` and `sockets PID` list `/proc/PID/fd` as well, which takes CAP_DAC_READ_SEARCH besides, or being root. The same user needs neither",
        without: "4",
        kernel: "`__ptrace_may_access()`, kernel/ptrace.c",
        proof: cap_sys_ptrace,
    };
    cap_sys_admin_opens_by_number_and_counts_runs: Row {
        capability: "CAP_SYS_ADMIN",
        allows: "`id:N`, `prog:N`, `map:N`, maps and programs by name; how often a filter runs; `run --as` tcp, udp, packet, unixgram (a network namespace of its own, so CAP_NET_ADMIN besides)",
        without: "4; `load` goes on without run statistics, and ends 0",
        kernel: "`bpf_prog_get_fd_by_id()`, `bpf_enable_stats()`, kernel/bpf/syscall.c",
        proof: cap_sys_admin,
    };
    cap_perfmon_reads_perf_events_and_lets_programs_look_into_the_kernel: Row {
        capability: "CAP_PERFMON",
        allows: "reading a perf event array; helpers such as bpf_trace_printk and bpf_probe_read_kernel; programs that show an address, which the verifier accepts with it alone",
        without: "4; a perf event array is read all the same where `kernel.perf_event_paranoid` is 0 or less",
        kernel: "`perf_event_open()`, kernel/events/core.c; `bpf_base_func_proto()`, kernel/bpf/helpers.c; `allow_ptr_leaks`, kernel/bpf/verifier.c; since 5.8",
        proof: cap_perfmon,
    };
    cap_syslog_shows_the_addresses_of_symbols: Row {
        capability: "CAP_SYSLOG",
        allows: "externs of `.ksyms` without a type (`extern const void NAME __ksym`), weak ones too: a hidden address is not an absent symbol",
        without: "4, unless `kernel.kptr_restrict` is 0 and `kernel.perf_event_paranoid` 1 or less",
        kernel: "`kallsyms_show_value()`, kernel/ksyms_common.c",
        proof: cap_syslog,
    };
}

#[test]
fn the_table_in_the_docs_is_this_one() {
    let mut list = "| capability | what it is for | without it | kernel |\n| --- | --- | --- | --- |\n".to_owned();
    for (_, Row { capability, allows, without, kernel, .. }) in ROWS {
        list += &format!("| {capability} | {allows} | {without} | {kernel} |\n");
    }
    assert_made("privileges.md", "by tests/kernel/privileges.rs", &list);
}

impl Proof {
    /// The user nobody with these capabilities besides the row's.
    fn with(&self, more: &[&str]) -> Vec<String> {
        nobody_with(&[&[self.capability], more].concat())
    }

    /// What is done with the capability.
    #[track_caller]
    fn works(&self, more: &[&str], args: &[&str]) -> Ran {
        self.everybody.run(&self.with(more), args).expect(0)
    }

    /// Without it, though with all the others that this takes, it ends with 4, and names the capability.
    #[track_caller]
    fn is_refused(&self, more: &[&str], args: &[&str]) -> Json {
        self.everybody.run(&nobody_with(more), args).expect(4).names(self.capability)
    }
}

impl Ran {
    #[track_caller]
    fn names(&self, capability: &str) -> Json {
        let error = self.only("error");
        assert!(format!("{} {}", error["message"], error["hint"]).contains(capability), "{error}");
        error
    }
}

const SECOND: [&str; 3] = ["--duration", "300ms", "--json"];

fn load<'a>(path: &'a str, target: &[&'a str]) -> Vec<&'a str> {
    [&["load", path], target, &SECOND].concat()
}

fn none(proof: &Proof) {
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

fn cap_bpf(proof: &Proof) {
    let count = proof.everybody.object(object("count"));
    let server = HttpServer::start();
    let mut running = proof.everybody.start(&proof.with(&[]), &["load", &count, "--connect", &server.target()]);
    running.send(HttpServer::REQUEST);
    running.end_input();
    let ran = running.end().expect(0);
    assert!(ran.text().starts_with("HTTP/1.0 200"), "{}", ran.text());
    assert!(ran.stderr.contains("run count: needs CAP_SYS_ADMIN\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("ports (hash, 1 of at most 1024 entries)"), "its maps were read: {}", ran.stderr);

    for target in [["--listen", "127.0.0.1:0"], ["--listen", "udp:[::1]:0"], ["--listen", "unixgram:@minibpf-least"]] {
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

fn cap_net_raw(proof: &Proof) {
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
fn cap_net_admin(proof: &Proof) {
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

fn cap_net_bind_service(proof: &Proof) {
    let (netns, pass) = (Netns::new(), proof.everybody.object(object("pass")));
    for target in ["udp:127.0.0.1:53", "127.0.0.1:80"] {
        let args = load(&pass, &["--listen", target]);
        proof.everybody.run(&[netns.exec(), proof.with(&["CAP_BPF"])].concat(), &args).expect(0);
        let without = [netns.exec(), nobody_with(&["CAP_BPF"])].concat();
        proof.everybody.run(&without, &args).expect(4).names(proof.capability);
    }
}

/// A process with a UDP socket, as root or as somebody else.
pub(crate) fn process(by_way_of: &[String]) -> (Running, String, String) {
    let line = "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0))\n\
                print('fd', s.fileno(), s.getsockname()[1], 'ready', flush=True)\nsys.stdin.read()";
    let command: Vec<&str> = by_way_of.iter().map(String::as_str).chain(["/usr/bin/python3", "-c", line]).collect();
    let running = Running::command(Command::new(command[0]).args(&command[1..]));
    running.says("ready");
    let said = running.said();
    let words: Vec<&str> = said.split(' ').collect();
    let by_fd = format!("pid:{}:{}", running.pid(), words[1]);
    let by_address = format!("pid:{}:udp:127.0.0.1:{}", running.pid(), words[2]);
    (running, by_fd, by_address)
}

fn cap_sys_ptrace(proof: &Proof) {
    let pass = proof.everybody.object(object("pass"));
    let (_owner, by_fd, by_address) = process(&[]);
    let by_fd = load(&pass, &["--attach", &by_fd]);
    let by_address = load(&pass, &["--attach", &by_address]);
    assert_eq!(proof.works(&["CAP_BPF"], &by_fd).summary()["ended"], "duration over");
    assert_eq!(proof.works(&["CAP_BPF", "CAP_DAC_READ_SEARCH"], &by_address).summary()["ended"], "duration over");
    proof.is_refused(&["CAP_BPF"], &by_fd);
    proof.is_refused(&["CAP_BPF", "CAP_DAC_READ_SEARCH"], &by_address);
    // Of one's own user's process, which has no capabilities, it takes none.
    let (_owner, by_fd, by_address) = process(&nobody_with(&[]));
    for at in [by_fd, by_address] {
        let ran = proof.everybody.run(&nobody_with(&["CAP_BPF"]), &load(&pass, &["--attach", &at])).expect(0);
        assert_eq!(ran.summary()["ended"], "duration over");
        run(["detach", "--attach", &at]).expect(6);
    }
}

fn cap_sys_admin(proof: &Proof) {
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

fn cap_perfmon(proof: &Proof) {
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

fn cap_syslog(proof: &Proof) {
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

/// A file capability on the binary, as `setcap` gives it, is as good as being started with it.
#[test]
#[ignore = "needs root, to set a file's capabilities"]
fn a_capability_of_the_file_is_enough() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    let args = load(&pass, &["--listen", "udp:127.0.0.1:0"]);
    let user = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    everybody.run(user, &args).expect(4).names("CAP_BPF");
    everybody.setcap("cap_bpf=ep");
    everybody.run(user, &args).expect(0);
    everybody.run(user, &load(&pass, &["--packet", "lo"])).expect(4).names("CAP_NET_RAW");
    everybody.setcap("cap_bpf,cap_net_raw=ep");
    everybody.run(user, &load(&pass, &["--packet", "lo"])).expect(0);
}

/// As `DynamicUser=` and `AmbientCapabilities=CAP_BPF` of systemd start it: a user of no name, with `no_new_privs`.
#[test]
#[ignore = "needs root, to become somebody"]
fn an_ambient_capability_is_enough_with_no_new_privs() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    let mut user = nobody_with(&["CAP_BPF"]);
    user.push("--no-new-privs".to_owned());
    everybody.run(&user, &load(&pass, &["--listen", "udp:127.0.0.1:0"])).expect(0);
}

/// Root of a user namespace holds every capability there; none counts.
#[test]
#[ignore = "needs user namespaces"]
fn in_a_user_namespace_each_command_says_that_its_capabilities_do_not_count() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    let namespaces = ["unshare", "--user", "--map-root-user", "--net"];
    for args in [&["check", &pass, "--json"][..], &load(&pass, &["--packet", "lo"]), &["run", &pass, "icmp", "--json"]]
    {
        let error = everybody.run(&namespaces, args).expect(4).names("CAP_BPF");
        assert!(text(&error, "message").contains("user namespace"), "{error}");
        assert!(text(&error, "hint").contains("outside the user namespace"), "{error}");
    }
}

/// Whatever errno a container's filter has for bpf(2), it is the filter that is named, and the exit code is that of privileges.
#[test]
#[ignore = "needs CAP_BPF"]
fn a_seccomp_filter_is_named_whether_it_says_eperm_or_enosys() {
    let everybody = Everybody::new();
    let pass = everybody.object(object("pass"));
    for errno in ["EPERM", "ENOSYS"] {
        let filtered = crate::support::everybody::without_bpf(errno);
        for args in
            [&["check", &pass, "--json"][..], &load(&pass, &["--connect", "127.0.0.1:9"]), &["doctor", "--json"]]
        {
            let error = everybody.run(&filtered, args).expect(4).names("seccomp filter");
            assert!(text(&error, "hint").contains("--cap-add=BPF"), "{error}");
        }
    }
}
