//! The page as a file: written whole, or not at all.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::process::Command;

use crate::folder::Folder;
use crate::support::objects::{COMMITTED, object};
use crate::support::process::{MINIBPF, Ran, Running, output_of, run, run_with_input};
use crate::support::text;

#[test]
fn a_page_is_written_whole_and_twice_the_same() {
    let folder = Folder::new();
    for name in COMMITTED {
        let said = folder.report(&object(name), &[]).expect(0);
        assert!(said.stderr.contains("page.html"), "{}", said.stderr);
        let page = folder.page();
        folder.report(&object(name), &[]).expect(0);
        assert_eq!(folder.page(), page);
        assert_eq!(folder.files(), ["page.html"]);
        assert!(page.len() < 300_000);
    }
}

#[test]
fn a_page_names_no_folder_of_this_machine() {
    let folder = Folder::new();
    let copy = folder.path("filter.o");
    fs::copy(object("count"), &copy).unwrap();
    folder.report(copy.to_str().unwrap(), &[]).expect(0);
    assert_eq!(folder.data()["file"]["name"], "filter.o");
    assert!(!folder.page().contains(folder.0.path().to_str().unwrap()));
}

#[test]
fn the_json_says_where_the_page_is_and_how_large() {
    let folder = Folder::new();
    let ran = folder.report(&object("count"), &["--json"]).expect(0);
    let lines = ran.kind("report");
    assert_eq!(text(&lines[0], "file"), folder.path("page.html").to_str().unwrap());
    assert_eq!(lines[0]["bytes"], folder.page().len());
}

#[test]
fn an_object_can_come_from_standard_input() {
    let folder = Folder::new();
    let page = folder.path("page.html");
    let bytes = fs::read(object("count")).unwrap();
    run_with_input(["report", "-", "--btf", "none", "-o", page.to_str().unwrap()], &bytes).expect(0);
    assert_eq!(folder.data()["file"]["name"], "standard input");
}

#[test]
fn a_report_that_fails_leaves_nothing_and_keeps_what_was_there() {
    let folder = Folder::new();
    fs::write(folder.path("page.html"), "kept").unwrap();
    fs::write(folder.path("bad.json"), "{\"kind\":\"summary\"}\n{").unwrap();
    fs::write(folder.path("bad.o"), "not an object").unwrap();
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let count = object("count");
    let failures: [(i32, Ran, &str); 7] = [
        (3, folder.report(&path("bad.o"), &[]), "bad.o"),
        (3, folder.report(&path("missing.o"), &[]), "No such file"),
        (2, folder.report(&count, &["--program", "nobody"]), "nobody"),
        (3, folder.report(&count, &["--btf", &path("bad.json")]), "BTF"),
        (1, folder.report(&count, &["--from", &path("bad.json")]), "line 2, column 1: not JSON"),
        (1, folder.report(&count, &["--from", &path("missing.json")]), "missing.json"),
        (2, folder.report(&count, &["--source", &path("missing")]), "--source"),
    ];
    for (code, ran, says) in failures {
        let ran = ran.expect(code);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    assert_eq!(folder.page(), "kept");
    assert_eq!(folder.files(), ["bad.json", "bad.o", "page.html"]);
}

/// A pipe stands for every file that is none, /dev/null among them.
#[test]
#[ignore = "needs strace"]
fn what_cannot_be_looked_at_is_not_replaced() {
    let folder = Folder::new();
    let page = folder.path("page.html");
    output_of(Command::new("mkfifo").arg(&page));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=statx", "-e", "inject=statx:error=EIO", "-o"]).arg(folder.path("strace"));
    strace.arg("-P").arg(&page).arg(MINIBPF);
    strace.args(["report", &object("count"), "--btf", "none", "-o"]).arg(&page);
    let ran = Running::command(&mut strace).end().expect(1);
    assert!(ran.stderr.contains("page.html: Input/output error"), "{}", ran.stderr);
    assert!(fs::metadata(&page).unwrap().file_type().is_fifo());
    assert_eq!(folder.files(), ["page.html", "strace"]);
}

#[test]
fn a_page_that_cannot_be_written_is_1() {
    let folder = Folder::new();
    let page = folder.path("missing/page.html");
    let ran = run(["report", &object("count"), "--btf", "none", "-o", page.to_str().unwrap()]).expect(1);
    assert!(ran.stderr.contains("missing/page.html"), "{}", ran.stderr);
    assert!(folder.files().is_empty());
}
