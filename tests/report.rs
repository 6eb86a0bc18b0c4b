//! `minibpf report` as a command: what it reads and writes, and what it leaves when it fails. What the page does in a browser is tested in
//! `tests/browser`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use support::objects::{COMMITTED, compile, compile_file, object};
use support::process::{MINIBPF, Ran, Running, output_of, run, run_with_input};
use support::{Json, text};

/// A folder for one page.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs `report` on an object, for no kernel in particular.
    fn report(&self, object: &str, more: &[&str]) -> Ran {
        let page = self.path("page.html");
        let btf: &[&str] = if more.contains(&"--btf") { &[] } else { &["--btf", "none"] };
        let args = ["report", object, "-o"].map(OsStr::new);
        run(args.into_iter().chain([page.as_os_str()]).chain(btf.iter().chain(more).map(OsStr::new)))
    }

    /// The folder's object, made of the folder's source, which the records name by where it lay then.
    fn object_beside_its_source(&self) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        fs::copy(root.join("bpf-src/count.bpf.c"), self.path("count.bpf.c")).unwrap();
        fs::copy(object("count"), self.path("count.bpf.o")).unwrap();
        self.path("count.bpf.o").to_str().unwrap().to_owned()
    }

    /// The texts of the sources in the page.
    fn sources(&self) -> Vec<String> {
        let data = self.data();
        data["sources"].as_array().unwrap().iter().map(|file| text(file, "text").to_owned()).collect()
    }

    fn page(&self) -> String {
        fs::read_to_string(self.path("page.html")).unwrap()
    }

    /// What the page knows.
    fn data(&self) -> Json {
        let page = self.page();
        let (_, rest) = page.split_once("id=\"data\">").unwrap();
        serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
    }
}

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

#[test]
fn the_options_choose_the_program_and_the_section() {
    let folder = Folder::new();
    let two = compile(
        "SEC(\"socket\") int first(struct __sk_buff *skb) { return skb->len; }
         SEC(\"other\") int second(struct __sk_buff *skb) { return 0; }",
    );
    let names = |more: &[&str]| {
        folder.report(&two.path(), more).expect(0);
        let programs = folder.data()["programs"].clone();
        programs.as_array().unwrap().iter().map(|program| text(program, "name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["first"]);
    assert_eq!(names(&["--section", "other"]), ["first", "second"]);
    assert_eq!(names(&["--section", "other", "--program", "second"]), ["second"]);
}

#[test]
fn a_recorded_run_is_in_the_page() {
    let folder = Folder::new();
    let count = object("count");
    let run = run(["check", &count, "--dry-run", "--trace", "--json"]).expect(0);
    let recorded = run.lines().iter().map(|line| format!("{line}\n")).collect::<String>();
    let recorded = recorded + "{\"kind\":\"summary\",\"ended\":\"</script>\"}\n{\"kind\":\"unknown\"}\n";
    fs::write(folder.path("run.json"), recorded).unwrap();
    folder.report(&count, &["--from", folder.path("run.json").to_str().unwrap()]).expect(0);
    let data = folder.data();
    let kinds: Vec<_> = data["run"].as_array().unwrap().iter().map(|line| text(line, "kind")).collect();
    assert!(kinds.contains(&"summary") && !kinds.contains(&"unknown"), "{kinds:?}");
    assert_eq!(folder.page().matches("</script>").count(), 2);
}

#[test]
fn what_other_tools_have_said_is_in_the_page_and_is_text() {
    let folder = Folder::new();
    let hostile = "</script><img src=x>";
    let said = serde_json::json!({ "kind": "referee", "tool": hostile, "what": hostile, "value": "\0", "command": "n".repeat(10_000) });
    fs::write(folder.path("run.json"), said.to_string()).unwrap();
    let from = folder.path("run.json").to_str().unwrap().to_owned();
    folder.report(&object("count"), &["--from", &from]).expect(0);
    assert_eq!(folder.data()["referees"], serde_json::json!([said]));
    assert!(!folder.page().contains("<img"));
    // A line that says less than it should is named, not shown.
    fs::write(folder.path("run.json"), "{\"kind\":\"referee\",\"tool\":\"readelf\"}").unwrap();
    let ran = folder.report(&object("count"), &["--from", &from]).expect(1);
    assert!(ran.stderr.contains("line 1, column 35: missing field `what`"), "{}", ran.stderr);
}

#[test]
fn source_files_come_from_the_folder_and_from_nowhere_else() {
    let folder = Folder::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.c"), "secret").unwrap();
    let sources = |dir: &Path| {
        folder.report(&object("count"), &["--source", dir.to_str().unwrap()]).expect(0);
        folder.data()["sources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| text(file, "text").to_owned())
            .collect::<Vec<_>>()
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let whole = fs::read_to_string(root.join("bpf-src/count.bpf.c")).unwrap();
    // Under its whole name, and under the end of it.
    assert_eq!(sources(root), [whole.as_str()]);
    assert_eq!(sources(&root.join("bpf-src")), [whole.as_str()]);
    // A link that leads out, a folder of that name, and a file without end are not read.
    let dir = folder.path("dir");
    fs::create_dir(&dir).unwrap();
    assert!(sources(&dir).is_empty());
    symlink(outside.path().join("secret.c"), dir.join("count.bpf.c")).unwrap();
    assert!(sources(&dir).is_empty());
    fs::remove_file(dir.join("count.bpf.c")).unwrap();
    fs::create_dir(dir.join("count.bpf.c")).unwrap();
    assert!(sources(&dir).is_empty());
    fs::remove_dir(dir.join("count.bpf.c")).unwrap();
    symlink("/dev/zero", dir.join("count.bpf.c")).unwrap();
    assert!(sources(&dir).is_empty());
    fs::remove_file(dir.join("count.bpf.c")).unwrap();
    fs::write(dir.join("count.bpf.c"), vec![b'a'; (1 << 20) + 1]).unwrap();
    assert!(sources(&dir).is_empty(), "too large");
}

#[test]
fn a_source_file_beside_the_object_is_in_the_page_and_that_is_said() {
    let folder = Folder::new();
    let made = folder.object_beside_its_source();
    let ran = folder.report(&made, &[]).expect(0);
    assert_eq!(folder.sources(), [fs::read_to_string(folder.path("count.bpf.c")).unwrap()]);
    let path = folder.path("count.bpf.c");
    assert!(ran.stderr.contains(&format!("{}: whole in the page", path.display())), "{}", ran.stderr);
    let ran = folder.report(&made, &["--json"]).expect(0);
    assert_eq!(ran.kind("report")[0]["sources"], serde_json::json!([path.to_str().unwrap()]));
    // Beside it means beside it, wherever one stands, and the same page each time.
    let page = folder.page();
    folder.report(&made, &[]).expect(0);
    assert_eq!(folder.page(), page);
    let ran = folder.report(&made, &["--source", "none"]).expect(0);
    assert!(folder.sources().is_empty() && !ran.stderr.contains("count.bpf.c"), "{}", ran.stderr);
}

#[test]
fn a_file_beside_the_object_is_taken_only_if_the_object_was_made_of_it() {
    let folder = Folder::new();
    let made = folder.object_beside_its_source();
    let source = folder.path("count.bpf.c");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("seen", "saw")).unwrap();
    let ran = folder.report(&made, &[]).expect(0);
    assert!(folder.sources().is_empty());
    assert!(ran.stderr.contains("count.bpf.c: left out"), "{}", ran.stderr);
    folder.report(&made, &["--source", folder.0.path().to_str().unwrap()]).expect(0);
    assert_eq!(folder.sources().len(), 1, "who asks for the folder gets it");
    // What the lines prove is not enough if it lies elsewhere.
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("count.bpf.c"), text).unwrap();
    fs::remove_file(&source).unwrap();
    symlink(outside.path().join("count.bpf.c"), &source).unwrap();
    folder.report(&made, &[]).expect(0);
    assert!(folder.sources().is_empty());
}

#[test]
fn an_object_cannot_ask_for_a_file_beside_it_that_is_no_source() {
    let names = ["notes.txt", ".hidden.c", ".git/config.c", "../up.c", "secret", "good.c"];
    let folder = Folder::new();
    for name in names {
        let dir = folder.path("dir");
        fs::create_dir_all(dir.join(".git")).unwrap();
        let line = "__attribute__((section(\"socket\"), used)) int f(void *skb) { return skb != 0; }";
        fs::write(dir.join(name), format!("{line}\n")).unwrap();
        fs::write(dir.join("main.c"), format!("#include \"{name}\"\n")).unwrap();
        // Its lines are those of the object, so that nothing but its name speaks against it.
        fs::copy(compile_file(&dir.join("main.c")).path(), dir.join("f.o")).unwrap();
        folder.report(dir.join("f.o").to_str().unwrap(), &[]).expect(0);
        let data = folder.data();
        let recorded = data["programs"][0]["strings"].to_string();
        assert!(recorded.contains(name) && recorded.contains("return skb"), "{name}: {recorded}");
        assert_eq!(folder.sources().len(), usize::from(name == "good.c"), "{name}: {recorded}");
    }
}

#[test]
fn what_cannot_be_linked_has_a_page_that_says_where_why_and_how_to_mend_it() {
    let folder = Folder::new();
    let unlinkable = compile(
        "extern int nobody(void); SEC(\"socket\") int f(struct __sk_buff *skb) { return nobody(); }
         SEC(\"socket\") int g(struct __sk_buff *skb) { return skb->len; }",
    );
    let ran = folder.report(&unlinkable.path(), &["--json"]).expect(3);
    assert_eq!(text(&ran.kind("report")[0], "file"), folder.path("page.html").to_str().unwrap());
    let error = &ran.kind("error")[0];
    assert!(text(error, "message").contains("program `f`, section `socket`, insn 0: `nobody` is not defined"));
    assert!(text(error, "hint").contains("define it in this object"));
    let data = folder.data();
    let refusal = &data["refusals"][0];
    assert_eq!((text(refusal, "program"), text(refusal, "section"), &refusal["insn"]), ("f", "socket", &0.into()));
    assert_eq!(refusal["file_offset"], 64);
    assert!(text(refusal, "why").contains("loaded alone"));
    assert!(refusal["source"][2].as_str().unwrap().contains("return nobody();"), "{refusal}");
    // The others are shown as ever, and alone they are no failure.
    assert_eq!(data["programs"].as_array().unwrap().len(), 1);
    folder.report(&unlinkable.path(), &["--program", "g"]).expect(0);
    assert_eq!(folder.data()["refusals"], Json::Array(Vec::new()));
}

#[test]
fn an_object_without_a_program_and_a_damaged_one_have_a_page_of_what_is_there() {
    let folder = Folder::new();
    let none = compile("int global = 1;");
    folder.report(&none.path(), &[]).expect(3);
    let data = folder.data();
    assert!(text(&data["refusals"][0], "mend").contains("SEC(\"socket\")"));
    assert!(data["facts"].as_array().unwrap().iter().any(|line| line["kind"] == "section"));
    let mut bytes = fs::read(object("count")).unwrap();
    bytes.truncate(2000);
    fs::write(folder.path("half.o"), &bytes).unwrap();
    let ran = folder.report(folder.path("half.o").to_str().unwrap(), &[]).expect(3);
    assert!(ran.stderr.contains("half.o"), "{}", ran.stderr);
    let data = folder.data();
    assert_eq!(data["file"]["size"], 2000);
    assert!(!folder.page().contains(folder.0.path().to_str().unwrap()));
    assert!(data["refusals"][0]["program"].is_null() && data["programs"].as_array().unwrap().is_empty());
    // Of another machine's file nothing that a page says would be true.
    fs::remove_file(folder.path("page.html")).unwrap();
    folder.report("/proc/self/exe", &[]).expect(3);
    assert!(!folder.path("page.html").exists());
}

#[test]
fn a_name_that_climbs_out_of_the_folder_finds_nothing_there() {
    let folder = Folder::new();
    let made = compile("#line 1 \"../../secret.c\"\nSEC(\"socket\") int f(struct __sk_buff *skb) { return skb->len; }");
    let dir = folder.path("a/b/c");
    fs::create_dir_all(&dir).unwrap();
    fs::write(folder.path("a/secret.c"), "secret").unwrap();
    folder.report(&made.path(), &["--source", dir.to_str().unwrap()]).expect(0);
    assert_eq!(folder.data()["sources"], Json::Array(Vec::new()));
}
