//! Objects that cannot be read, linked or loaded here, or not by others: explained as far as they can be.

use crate::explain;
use crate::support::objects::{Made, compile, compile_for, object};
use crate::support::process::run;
use crate::support::{Json, text};

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
fn a_big_endian_object_is_explained_as_its_little_endian_twin_and_refused_here() {
    let c = include_str!("../matrix/calls.c").replace("char _license[] SEC(\"license\") = \"GPL\";", "");
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
    assert_eq!(without(of(&big)), without(of(&little)));
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
