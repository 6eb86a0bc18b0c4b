//! What is in the page: of the object, of a run, of other tools, and of what cannot be linked.

use std::fs;

use crate::folder::Folder;
use crate::support::objects::{compile, object};
use crate::support::process::run;
use crate::support::{Json, text};

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
