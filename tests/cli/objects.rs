//! Files that are no objects, or none with a socket filter: 3, from every command.

use std::process::Command;

use crate::support::objects::{Made, compile, object};
use crate::support::process::{MINIBPF, run};
use crate::support::text;
use crate::{NOBODY, fails};

/// As [`fails`], for a file that cannot be read as an object: all commands agree.
#[track_caller]
fn unreadable(path: &str, says: &[&str]) {
    let says: Vec<_> = says.iter().copied().chain([path]).collect();
    fails(3, &["check", path], &says);
    fails(3, &["explain", path], &says);
    fails(3, &["load", path, "--connect", NOBODY], &says);
}

#[test]
fn a_stripped_object_gets_one_hint_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let stripped = dir.path().join("stripped.o");
    let strip = Command::new("llvm-strip-14").arg(object("pass")).arg("-o").arg(&stripped).status().unwrap();
    assert!(strip.success());
    let error = run(["explain", "--json", stripped.to_str().unwrap()]).expect(3).only("error");
    let hint = "take the object as clang wrote it; llvm-strip -g takes debug information alone and leaves the symbols";
    assert!(text(&error, "message").ends_with("symbol table (.symtab): missing: was the object stripped?"), "{error}");
    assert_eq!(text(&error, "hint"), hint);
}

#[test]
fn an_error_leads_to_the_place_in_the_book_that_explains_it() {
    let ran = run(["check", "--json", "bpf-src/skb.h"]).expect(3);
    assert!(ran.stderr.ends_with("\n  see: docs/errors.md#3-the-object\n"), "{}", ran.stderr);
    assert_eq!(text(ran.kind("error").last().unwrap(), "see"), "docs/errors.md#3-the-object");
    let made = compile("int elsewhere(void); SEC(\"socket\") int calls(struct __sk_buff *skb) { return elsewhere(); }");
    let ran = run(["load", "--dry-run", "--json", &made.path(), "--connect", NOBODY]).expect(3);
    assert_eq!(text(ran.kind("error").last().unwrap(), "see"), "docs/ch17-externs.md");
}

#[test]
fn every_command_says_how_to_mend_what_cannot_be_linked() {
    let made = compile("int elsewhere(void); SEC(\"socket\") int calls(struct __sk_buff *skb) { return elsewhere(); }");
    let (path, page) = (made.path(), made.path() + ".html");
    let mend = "join objects with bpftool gen object";
    for args in [
        &["load", &path, "--connect", NOBODY][..],
        &["load", &path, "--connect", NOBODY, "--dry-run"],
        &["run", &path, "icmp"],
        &["explain", &path],
        &["report", &path, "-o", &page],
    ] {
        let ran = run([args, &["--json"]].concat()).expect(3);
        assert!(text(ran.kind("error").last().unwrap(), "hint").contains(mend), "{args:?}: {}", ran.stderr);
    }
    fails(3, &["check", &path, "--dry-run"], &[mend]);
    let ran = run(["check", "--json", &path]).expect(3);
    assert!(text(&ran.only("program"), "hint").contains(mend), "{}", ran.stderr);
}

#[test]
fn a_file_that_does_not_exist_is_3() {
    unreadable("/no/such/filter.o", &["No such file"]);
}

#[test]
fn a_text_file_is_3() {
    unreadable(&Made::of(b"int main(void) { return 0; }\n").path(), &["not an ELF file"]);
}

#[test]
fn a_program_of_this_machine_is_3() {
    unreadable(MINIBPF, &["not a BPF object", "e_machine"]);
}

#[test]
fn a_directory_is_3() {
    unreadable("/", &[]);
}

#[test]
fn an_empty_file_is_3() {
    unreadable(&Made::of(b"").path(), &["not an ELF file", "empty"]);
}

#[test]
fn a_truncated_object_is_3() {
    let whole = std::fs::read(object("count")).unwrap();
    for length in [3, 4, 5, 6, 63, 64, 65, whole.len() / 2, whole.len() - 1] {
        unreadable(&Made::of(&whole[..length]).path(), &[]);
    }
}

#[test]
fn an_object_without_a_socket_filter_is_3_and_says_where_its_code_is() {
    let made = compile("SEC(\"xdp\") int frames(void *ctx) { return 2; }");
    unreadable(&made.path(), &["no socket filter", "`xdp`"]);
}

#[test]
fn a_file_without_an_end_is_no_object() {
    let ran = run(["explain", "/dev/zero"]).expect(3);
    assert!(ran.stderr.contains("/dev/zero: not an ELF file: it starts with 00 00 00 00"), "{}", ran.stderr);
}
