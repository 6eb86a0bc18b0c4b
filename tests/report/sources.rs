//! Which source files a page has in it, and which no object can ask for.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::folder::Folder;
use crate::support::Json;
use crate::support::objects::{compile, compile_file, object};

#[test]
fn source_files_come_from_the_folder_and_from_nowhere_else() {
    let folder = Folder::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.c"), "secret").unwrap();
    let sources = |dir: &Path| {
        folder.report(&object("count"), &["--source", dir.to_str().unwrap()]).expect(0);
        folder.sources()
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
fn a_name_that_climbs_out_of_the_folder_finds_nothing_there() {
    let folder = Folder::new();
    let made = compile("#line 1 \"../../secret.c\"\nSEC(\"socket\") int f(struct __sk_buff *skb) { return skb->len; }");
    let dir = folder.path("a/b/c");
    fs::create_dir_all(&dir).unwrap();
    fs::write(folder.path("a/secret.c"), "secret").unwrap();
    folder.report(&made.path(), &["--source", dir.to_str().unwrap()]).expect(0);
    assert_eq!(folder.data()["sources"], Json::Array(Vec::new()));
}
