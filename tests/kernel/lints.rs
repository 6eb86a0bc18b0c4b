//! The lints, held against the kernel: what they call refused is refused, and what they leave alone is not.

use std::process::Command;

use minibpf::elf::Object;
use minibpf::insn::Insn;
use minibpf::kernel::Kernel;
use minibpf::link::Options;
use minibpf::lint::{self, Limits, RULES};
use minibpf::plan::{Plan, Step};
use minibpf::spec::{MapAttr, Spec};
use minibpf::sys::attr::MapCreateAttr;
use minibpf::sys::map::MapFd;
use minibpf::target::Target;

use crate::support::bpffs::Bpffs;
use crate::support::objects::{compile, keeping, object};
use crate::support::process::{run, run_with_input};
use crate::support::server::answering;
use crate::support::{Json, text};

/// Loads `pass` with other instructions and another licence. Returns the rules met, and what the verifier says.
fn asked(insns: &[[u8; 8]], license: &str) -> (Vec<&'static str>, Option<String>) {
    let bytes = std::fs::read(object("pass")).unwrap();
    let object = Object::parse(&bytes).unwrap();
    let spec = Spec::read(&object);
    let mut plan = Plan::new(&spec, &Options::default(), &Target::running(&spec)).unwrap();
    for step in &mut plan.steps {
        if let Step::ProgLoad(program) = step {
            program.insns = insns.iter().map(|slot| Insn::decode(*slot)).collect();
            program.license = license.to_owned();
            program.func_info.clear();
            program.line_info.clear();
        }
    }
    plan.steps.retain(|step| !matches!(step, Step::BtfLoad(_)));
    let lints = lint::all(&spec, &plan, &Limits::default()).iter().map(|lint| lint.id).collect();
    (lints, Kernel::load(&plan).err().map(|error| error.log.unwrap_or_default()))
}

const R0: [u8; 8] = [0xb7, 0, 0, 0, 0, 0, 0, 0];
const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];

#[test]
#[ignore = "needs CAP_BPF"]
fn of_every_field_of_the_context_lint_and_kernel_say_the_same() {
    // Eight bytes long: flow_keys, tstamp, sk, hwtstamp.
    for offset in (0..192_u8).step_by(4).filter(|offset| !matches!(offset, 148 | 156 | 172 | 180 | 188)) {
        let size = if matches!(offset, 144 | 152 | 168 | 184) { 0x18 } else { 0 };
        let (lints, refused) = asked(&[[0x61 | size, 0x10, offset, 0, 0, 0, 0, 0], R0, EXIT], "GPL");
        assert_eq!(lints == ["ctx-read"], refused.is_some(), "read at {offset}: {lints:?}, {refused:?}");
        let (lints, refused) = asked(&[R0, [0x63 | size, 0x01, offset, 0, 0, 0, 0, 0], EXIT], "GPL");
        assert_eq!(lints == ["ctx-write"], refused.is_some(), "write at {offset}: {lints:?}, {refused:?}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_every_helper_lint_and_kernel_say_the_same() {
    // Locks (93, 94) are refused for another reason: maps with them are not for socket filters.
    for number in (1..=211).filter(|number| !matches!(number, 93 | 94)) {
        let call = [[0x85, 0, 0, 0, number, 0, 0, 0], R0, EXIT];
        let (lints, log) = asked(&call, "GPL");
        let log = log.unwrap_or_default();
        if log.contains("invalid func") || log.contains("unknown func") && number > 180 {
            continue; // newer than this kernel
        }
        let is_closed = log.contains("cannot use helper") || log.contains("unknown func");
        assert_eq!(lints == ["helper-type"], is_closed, "helper {number}: {lints:?}, {log}");
        let (lints, log) = asked(&call, "Proprietary");
        let is_gpl = log.unwrap_or_default().contains("GPL");
        assert_eq!(lints == ["helper-license"], is_gpl, "helper {number} without GPL: {lints:?}");
    }
}

/// One program for each rule that the kernel enforces, and more that it does not.
const FAULTS: &str = "
    static long (*const bpf_redirect)(__u32 ifindex, __u64 flags) = (void *)23;
    SEC(\"socket\") int reads(struct __sk_buff *skb) { return *(__u32 *)((char *)skb + 80); }
    SEC(\"socket\") int writes(struct __sk_buff *skb) { skb->mark = 1; return skb->len; }
    SEC(\"socket\") int redirects(struct __sk_buff *skb) { return bpf_redirect(1, 0); }
    SEC(\"socket\") int accepts(struct __sk_buff *skb) { return skb->len > 100 ? 1 : 0; }
    SEC(\"socket\") int fine(struct __sk_buff *skb) { skb->cb[0] = 1; return skb->len; }";

/// Maps of the types that stand alone, with all sorts of numbers.
fn all_sorts_of_maps() -> Vec<MapAttr> {
    let types = [0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 22, 23, 27, 30, 31];
    let mut all = Vec::new();
    for map_type in types {
        for key_size in [0, 4, 5, 260, 264] {
            for value_size in [0, 4, 8] {
                for max_entries in [0, 4096] {
                    for map_flags in std::iter::once(0).chain((0..13).map(|bit| 1 << bit)) {
                        all.push(MapAttr {
                            map_type,
                            key_size,
                            value_size,
                            max_entries,
                            map_flags,
                            ..MapAttr::default()
                        });
                    }
                }
            }
        }
    }
    all
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_a_map_that_has_a_fault_the_kernel_says_the_same_and_one_without_it_is_created() {
    // Flags of which nothing is said: BPF_F_NUMA_NODE and those for access from programs and user space, and BPF_F_CLONE.
    const UNSAID: u32 = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 7 | 1 << 8 | 1 << 9;
    let (mut faults, mut sound) = (0, 0);
    for attr in all_sorts_of_maps() {
        let made = MapFd::create(MapCreateAttr {
            map_type: attr.map_type,
            key_size: attr.key_size,
            value_size: attr.value_size,
            max_entries: attr.max_entries,
            map_flags: attr.map_flags,
            ..MapCreateAttr::default()
        });
        match lint::map_fault(&attr) {
            Some(fault) => {
                assert!(made.is_err(), "{attr:?}: {fault:?}");
                faults += 1;
            }
            // The loader sees to a ring buffer's key and value.
            None if attr.map_flags & UNSAID == 0 && !matches!(attr.map_type, 27 | 31) => {
                assert!(made.is_ok(), "{attr:?}: {made:?}");
                sound += 1;
            }
            None => {}
        }
    }
    assert!(faults > 1000 && sound > 100, "{faults} with a fault, {sound} without");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_map_that_no_kernel_creates_is_told_before_the_kernel_is_asked() {
    let made = compile(
        "struct { __uint(type, 11); __uint(max_entries, 8); __type(key, long); __type(value, int); } nets SEC(\".maps\");
        SEC(\"socket\") int filter(struct __sk_buff *skb) { long key = 0; return bpf_map_lookup_elem(&nets, &key) ? 0 : skb->len; }",
    );
    let lint = run(["explain", &made.path(), "--json"]).expect(0).only("lint");
    let what = "has the map `nets` with map_flags 0, and a map of type lpm_trie wants BPF_F_NO_PREALLOC";
    assert_eq!((text(&lint, "id"), text(&lint, "what")), ("map-attr", what));
    assert_eq!(text(&lint, "mend"), "__uint(map_flags, BPF_F_NO_PREALLOC);");
    let hint = run(["check", &made.path(), "--json"]).expect(5).only("program");
    assert!(text(&hint, "hint").contains("wants BPF_F_NO_PREALLOC: __uint(map_flags"), "{hint}");
}

fn found(lints: &[Json]) -> Vec<(&str, &str)> {
    lints.iter().map(|lint| (text(lint, "program"), text(lint, "id"))).collect()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn check_warns_of_each_fault_and_loads_what_the_kernel_takes() {
    let made = compile(FAULTS);
    let ran = run(["check", &made.path(), "--json"]).expect(5);
    let lints = ran.kind("lint");
    let expected =
        [("reads", "ctx-read"), ("writes", "ctx-write"), ("redirects", "helper-type"), ("accepts", "short-return")];
    assert_eq!(found(&lints), expected);
    let refused: Vec<_> = RULES.iter().filter(|rule| rule.is_refused).map(|rule| rule.id).collect();
    for program in ran.kind("program") {
        let lint = lints.iter().find(|lint| lint["program"] == program["name"]);
        let is_refused = lint.is_some_and(|lint| refused.contains(&text(lint, "id")));
        assert_eq!(program["verdict"] == "rejected", is_refused, "{program}");
    }
    for lint in &lints {
        assert!(text(lint, "source").contains("test.c:"), "{lint}");
        assert!(ran.stderr.contains(text(lint, "what")) && ran.stderr.contains(text(lint, "mend")), "{}", ran.stderr);
    }
    assert!(ran.stderr.starts_with("warning: program `reads`, insn 0, "), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_that_is_only_warned_of_is_0() {
    let ran = run(["check", &keeping("accepts", "1").path(), "--json"]).expect(0);
    assert_eq!(found(&ran.kind("lint")), [("accepts", "short-return")]);
    assert_eq!(text(&ran.only("program"), "verdict"), "loaded");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn of_several_objects_each_lint_says_which() {
    let faulty = keeping("accepts", "1");
    let ran = run(["check", &object("pass"), &faulty.path(), "--json"]).expect(0);
    assert_eq!(text(&ran.only("lint"), "obj"), faulty.path());
    assert!(ran.stderr.starts_with(&format!("warning: {}: program `accepts`", faulty.path())), "{}", ran.stderr);
}

/// What bpftool, which is libbpf, makes of an object.
fn libbpf_loads(path: &str) -> bool {
    let bpffs = Bpffs::mount();
    let output = Command::new("bpftool").args(["prog", "loadall", path, &bpffs.path("all")]).output().unwrap();
    output.status.success()
}

#[test]
#[ignore = "needs bpftool"]
fn what_is_said_of_libbpf_is_what_libbpf_does() {
    const MAP: &str = "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); }";
    let lookup = "{ __u32 key = 0; return !bpf_map_lookup_elem(&table, &key); }";
    let plain = "(struct __sk_buff *skb) { return skb->len; }";
    // Not `?socket`: libbpf leaves it out, and bpftool then fails to pin what was not loaded.
    let sources = [
        format!("SEC(\"socket\") int f{plain}"),
        format!("SEC(\"socket/web\") int f{plain}"),
        format!("SEC(\"socket1\") int f{plain}"),
        format!("SEC(\"socket\") int f{plain} SEC(\"socket2\") int g{plain}"),
        format!("{MAP} table SEC(\".maps\"); SEC(\"socket\") int f(struct __sk_buff *skb) {lookup}"),
        format!("static {MAP} table SEC(\".maps\"); SEC(\"socket\") int f(struct __sk_buff *skb) {lookup}"),
        format!("__attribute__((used)) SEC(\"socket\") static int f{plain}"),
        "SEC(\"mine\") __attribute__((noinline)) int g(int x) { asm volatile(\"\" : \"+r\"(x)); return x; }
         SEC(\"socket\") int f(struct __sk_buff *skb) { return g(skb->len); }"
            .to_owned(),
    ];
    for source in sources {
        let made = compile(&source);
        let said = run(["explain", &made.path(), "--json"]).expect(0).kind("loads_in");
        let is_taken = said.iter().all(|line| line["libbpf"].as_array().unwrap().is_empty());
        assert_eq!(is_taken, libbpf_loads(&made.path()), "{source}: {said:?}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_that_is_too_large_for_a_socket_loads_and_cannot_be_attached_as_was_said() {
    let limit = std::fs::read_to_string("/proc/sys/net/core/optmem_max").unwrap();
    let slots = limit.trim().parse::<usize>().unwrap() / 8;
    let body = "asm volatile(\"r0 = 0\" ::: \"r0\");".repeat(slots);
    let made = compile(&format!("SEC(\"socket\") int large(struct __sk_buff *skb) {{ {body} return skb->len; }}"));
    let ran = run(["check", &made.path(), "--json"]).expect(0);
    assert_eq!(found(&ran.kind("lint")), [("large", "too-large")]);
    let ran = run(["load", &made.path(), "--connect", "127.0.0.1:9"]).expect(6);
    assert!(ran.stderr.contains("ENOMEM") && ran.stderr.contains("net.core.optmem_max"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn load_warns_of_what_the_kernel_took_and_will_not_do_as_meant() {
    for (value, rule) in [("1", "short-return"), ("64", "tcp-trim"), ("-1", "negative-return")] {
        let made = keeping("keep", value);
        let server = answering("127.0.0.1", b"answer");
        let args = ["load", &made.path(), "--connect", &server.target(), "--duration", "300ms", "--json"];
        let lint = run_with_input(args, b"").expect(0).only("lint");
        assert_eq!((text(&lint, "id"), text(&lint, "program")), (rule, "keep"));
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_negative_constant_keeps_the_whole_packet_as_its_lint_says() {
    let ran = run(["run", &keeping("keep", "-5").path(), "udp:53:hello", "--as", "udp", "--json"]).expect(0);
    assert_eq!(text(&ran.only("lint"), "id"), "negative-return");
    let packet = ran.only("packet");
    assert_eq!((text(&packet, "verdict"), &packet["kept"]), ("keep", &packet["len"]), "{packet}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_filter_for_ethernet_is_told_so_on_a_tcp_socket_and_not_on_af_packet() {
    for source in [
        "unsigned long long load_half(void *skb, unsigned long long off) asm(\"llvm.bpf.load.half\");
         SEC(\"socket\") int ip(struct __sk_buff *skb) { return load_half(skb, 12) == 0x800 ? skb->len : 0; }",
        "SEC(\"socket\") int ip(struct __sk_buff *skb) { __u16 type = 0; bpf_skb_load_bytes(skb, 12, &type, 2);
             return type == __builtin_bswap16(0x800) ? skb->len : 0; }",
        "SEC(\"socket\") int ip(struct __sk_buff *skb) { __u8 protocol = 0; bpf_skb_load_bytes(skb, 14 + 9, &protocol, 1);
             return protocol == 6 ? skb->len : 0; }",
    ] {
        let made = compile(source);
        let server = answering("127.0.0.1", b"answer");
        let lints = |target: [&str; 2]| {
            run_with_input(
                ["load", &made.path(), target[0], target[1], "--timeout", "300ms", "--duration", "300ms", "--json"],
                b"",
            )
            .kind("lint")
        };
        let lint = lints(["--connect", &server.target()]).remove(0);
        assert_eq!((text(&lint, "id"), text(&lint, "program")), ("ethernet-offset", "ip"), "{source}");
        assert!(text(&lint, "what").ends_with("byte 0 is the TCP header"), "{lint}");
        assert_eq!(lints(["--packet", "lo"]), [] as [Json; 0], "{source}");
    }
}
