//! Held against those who know: the plan of a load, the kernel, readelf, strace, and a user without privileges.

use std::process::Command;

use crate::explain;
use crate::support::everybody::{Everybody, nobody_with};
use crate::support::objects::{COMMITTED, object};
use crate::support::process::{MINIBPF, Running, output_of, run};
use crate::support::{Json, text};

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
    let everybody = Everybody::new();
    let ran = everybody.run(&nobody_with(&[]), &["explain", &everybody.object(object("count"))]).expect(0);
    assert_eq!(ran.text(), run(["explain", &object("count")]).expect(0).text());
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
