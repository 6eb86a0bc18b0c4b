//! `minibpf doctor`: its rows, held against what really happens where something is missing.

use crate::support::everybody::{Everybody, NOBODY, without_bpf};
use crate::support::objects::{compile, object};
use crate::support::process::{Ran, run};
use crate::support::{Json, text};

/// Without these no program can be loaded.
const WITHOUT_CAP_BPF: &[&str] = &["setpriv", "--bounding-set=-bpf,-sys_admin"];
const IN_A_USER_NAMESPACE: &[&str] = &["unshare", "--user", "--map-root-user"];

#[track_caller]
fn row(ran: &Ran, name: &str) -> Json {
    let rows = ran.kind("check");
    rows.into_iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row {name}: {}", ran.text()))
}

/// Runs `doctor` and then `check` in the same situation: both must end with 4, for the same reason.
#[track_caller]
fn forbidden<S: AsRef<str>>(by_way_of: &[S], why: &str) -> Ran {
    let everybody = Everybody::new();
    let ran = everybody.run(by_way_of, &["doctor", "--json"]).expect(4);
    let load = row(&ran, "load a program");
    assert_eq!((&load["found"], &load["ok"]), (&"EPERM".into(), &false.into()));
    assert!(text(&load, "means").contains(why), "{load}");
    let error = ran.only("error");
    assert_eq!((ran.lines().last(), &error["code"]), (Some(&error), &4.into()));
    assert_eq!(error["hint"], load["remedy"]);

    let pass = everybody.object(object("pass"));
    let check = everybody.run(by_way_of, &["check", &pass, "--json"]).expect(4).only("error");
    assert!(text(&check, "message").contains(text(&load, "means")), "{check} / {load}");
    let plain = everybody.run(by_way_of, &["doctor"]).expect(4);
    assert!(plain.stderr.starts_with("error: ") && plain.stderr.contains(why), "{}", plain.stderr);
    ran
}

#[test]
#[ignore = "needs CAP_BPF"]
fn with_every_privilege_a_filter_can_be_loaded_and_attached() {
    let ran = run(["doctor", "--json"]).expect(0);
    for name in ["kernel", "load a program", "create a map", "attach it to a socket", "CAP_BPF", "seccomp"] {
        assert_eq!(row(&ran, name)["ok"], true, "{name}");
    }
    for check in ran.kind("check") {
        assert_eq!(check["ok"] == false, check["remedy"].is_string(), "{check}");
    }
    let plain = run(["doctor"]).expect(0);
    assert!(plain.text().ends_with("A socket filter can be loaded and attached.\n"), "{}", plain.text());
    assert_eq!(plain.stderr, "");
}

#[test]
#[ignore = "needs root, to become nobody"]
fn nobody_lacks_cap_bpf_and_sudo_would_help() {
    let ran = forbidden(NOBODY, "no CAP_BPF, and kernel.unprivileged_bpf_disabled is");
    assert!(text(&row(&ran, "CAP_BPF"), "remedy").contains("sudo setcap cap_bpf+ep"));
    assert_eq!(row(&ran, "open a packet socket")["found"], "EPERM");
    assert_eq!(row(&ran, "attach it to a socket")["ok"], Json::Null, "there was nothing to attach");
}

#[test]
#[ignore = "needs root, to drop a capability"]
fn where_the_bounding_set_has_no_cap_bpf_sudo_is_not_proposed() {
    let ran = forbidden(WITHOUT_CAP_BPF, "no CAP_BPF");
    assert!(text(&row(&ran, "CAP_BPF"), "remedy").contains("--cap-add=BPF"));
    assert_eq!(row(&ran, "open a packet socket")["found"], "done", "CAP_NET_RAW is still there");
}

#[test]
#[ignore = "needs root, to become nobody"]
fn where_no_new_privs_is_set_sudo_is_not_proposed() {
    let ran = forbidden(&[NOBODY, &["--no-new-privs"]].concat(), "no CAP_BPF");
    assert!(text(&row(&ran, "CAP_BPF"), "remedy").contains("no_new_privs"));
}

#[test]
#[ignore = "needs user namespaces"]
fn root_of_a_user_namespace_is_not_root_for_bpf() {
    let ran = forbidden(IN_A_USER_NAMESPACE, "user namespace");
    assert_eq!(row(&ran, "CAP_BPF")["found"], "held, but in the user namespace only");
    let packet = row(&ran, "open a packet socket");
    assert!(packet["found"] == "EPERM" && text(&packet, "remedy").contains("unshare --net"), "{packet}");
    let with_network = [IN_A_USER_NAMESPACE, &["--net"]].concat();
    let ran = Everybody::new().run(&with_network, &["doctor", "--json"]).expect(4);
    assert_eq!(row(&ran, "open a packet socket")["found"], "done");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_seccomp_filter_that_forbids_bpf_is_told_from_a_missing_capability() {
    let ran = forbidden(&without_bpf("EPERM"), "a seccomp filter forbids bpf(2)");
    assert_eq!(row(&ran, "CAP_BPF")["found"], "held");
    assert_eq!(row(&ran, "seccomp")["ok"], false);
}

#[test]
#[ignore = "needs root, to drop a capability"]
fn without_cap_net_raw_filters_load_all_the_same() {
    let ran = Everybody::new().run(&["setpriv", "--bounding-set=-net_raw"], &["doctor", "--json"]).expect(0);
    let packet = row(&ran, "open a packet socket");
    assert!(packet["ok"] == false && text(&packet, "means").contains("no CAP_NET_RAW"), "{packet}");
}

#[test]
#[ignore = "needs root, to mount"]
fn what_a_mount_namespace_hides_is_said_to_be_missing() {
    let hide = "umount -l -a -t bpf; mount -t tmpfs none /sys/kernel/btf; exec \"$0\" \"$@\"";
    let ran = Everybody::new().run(&["unshare", "--mount", "sh", "-c", hide], &["doctor", "--json"]).expect(0);
    let (btf, bpffs) = (row(&ran, "kernel types (BTF)"), row(&ran, "bpffs"));
    assert!(btf["ok"] == false && text(&btf, "remedy").contains("--btf FILE"), "{btf}");
    assert!(bpffs["ok"] == false && text(&bpffs, "remedy").contains("mount -t bpf"), "{bpffs}");
}

/// `CAP_BPF`, and nothing that includes another.
const ONLY_CAP_BPF: &[&str] = &["setpriv", "--bounding-set=-all,+bpf"];

#[test]
#[ignore = "needs root, to drop a capability"]
fn a_helper_or_an_address_that_needs_cap_perfmon_is_told_from_a_faulty_program() {
    let made = compile(
        "static long (*const bpf_trace_printk)(const char *format, __u32 size, ...) = (void *)6;
         SEC(\"socket\") int traces(struct __sk_buff *skb)
         { char text[] = \"seen\"; bpf_trace_printk(text, sizeof(text)); return skb->len; }
         SEC(\"socket\") int leaks(struct __sk_buff *skb) { return (long)skb; }
         SEC(\"socket\") int faulty(struct __sk_buff *skb) { return *(__u32 *)((char *)skb + 76); }",
    );
    let everybody = Everybody::new();
    let path = everybody.object(made.path());
    let load = |name: &str, code| {
        let args = ["load", &path, "--program", name, "--connect", "127.0.0.1:9", "--json"];
        text(&everybody.run(ONLY_CAP_BPF, &args).expect(code).only("error"), "message").to_owned()
    };
    let says = load("traces", 4);
    assert!(says.contains("EINVAL") && says.contains("no CAP_PERFMON, which bpf_trace_printk needs"), "{says}");
    let says = load("leaks", 4);
    assert!(says.contains("EACCES") && says.contains("no CAP_PERFMON"), "{says}");
    let says = load("faulty", 5);
    assert!(says.contains("EACCES") && !says.contains("CAP_"), "{says}");

    let ran = everybody.run(ONLY_CAP_BPF, &["check", &path]).expect(5);
    assert!(
        ran.text().contains("traces: rejected (EINVAL)") && ran.text().contains("no CAP_PERFMON"),
        "{}",
        ran.text()
    );
    let root = run(["check", &made.path(), "--json"]).expect(5).kind("program");
    let verdicts: Vec<_> = root.iter().map(|program| text(program, "verdict")).collect();
    assert_eq!(verdicts, ["loaded", "loaded", "rejected"], "with CAP_PERFMON it is only the faulty one");
}

#[test]
#[ignore = "needs root, to drop a capability"]
fn a_map_that_needs_cap_net_admin_says_so_and_not_cap_bpf() {
    let made = compile(
        "struct { __uint(type, 15); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); } peers SEC(\".maps\");
         SEC(\"socket\") int filter(struct __sk_buff *skb) { __u32 key = 0; return !bpf_map_lookup_elem(&peers, &key); }",
    );
    let everybody = Everybody::new();
    let path = everybody.object(made.path());
    for args in [&["check", &path, "--json"][..], &["load", &path, "--connect", "127.0.0.1:9", "--json"]] {
        let error = everybody.run(ONLY_CAP_BPF, args).expect(4).only("error");
        let message = text(&error, "message");
        assert!(message.contains("`peers`") && message.contains("no CAP_NET_ADMIN"), "{message}");
        assert!(text(&error, "hint").contains("minibpf doctor"), "{error}");
    }
}
