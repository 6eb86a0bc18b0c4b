//! The objects of `bpf-src/broken`: each is refused, minibpf says where and why, and with its patch it loads.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use minibpf::verdict::{Message, in_docs, messages};

use crate::support::docs::holds_list;
use crate::support::objects::{bpf_src, compile_file};
use crate::support::process::{output_of, run};
use crate::support::{Json, number, text};

/// Ends the line that the explanation must name.
const MARK: &str = "/* here */";
/// The one row whose object has no line to be named: what it lacks are the records.
const WITHOUT_LINES: &str = "callback-records";

fn broken(name: &str, end: &str) -> String {
    bpf_src().join("broken").join(format!("{name}{end}")).to_str().unwrap().to_owned()
}

/// The names of the files of `bpf-src/broken` that end so.
fn names(end: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(bpf_src().join("broken")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(end).map(str::to_owned)).collect()
}

/// Whether a sentence is what a row says, with something in each hole.
fn is_filled(row: &str, sentence: &str) -> bool {
    let mut rest = sentence;
    for (number, part) in row.split('{').enumerate() {
        let (hole, literal) = part.split_once('}').filter(|_| number > 0).unwrap_or(("", part));
        let Some(at) = rest.find(literal).filter(|at| number > 0 || *at == 0) else { return false };
        if number > 0 && (at == 0 || &rest[..at] == hole) && !literal.is_empty() {
            return false;
        }
        rest = &rest[at + literal.len()..];
    }
    true
}

#[test]
fn every_row_of_the_table_has_its_object_and_its_patch_and_every_object_its_row() {
    let rows: BTreeSet<_> = messages().map(|message| message.name.to_owned()).collect();
    assert!(rows.len() >= 20 && rows.len() == messages().count(), "{} rows", messages().count());
    for end in [".bpf.c", ".bpf.o", ".patch"] {
        assert_eq!(names(end), rows, "{end}");
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn each_is_refused_and_the_line_the_reason_and_the_mend_are_named() {
    for Message { name, why, mend, .. } in messages() {
        let source = std::fs::read_to_string(broken(name, ".bpf.c")).unwrap();
        let here: Vec<_> = (1i64..).zip(source.lines()).filter(|(_, line)| line.contains(MARK)).collect();
        assert_eq!(here.len(), usize::from(*name != WITHOUT_LINES), "{name}: lines that are marked");
        let program = run(["check", &broken(name, ".bpf.o"), "--json"]).expect(5).only("program");
        let explanation = &program["explanation"];
        assert_eq!(explanation["message"], *name, "{program}");
        let at = &explanation["source"];
        if let [(line, marked)] = here[..] {
            assert_eq!((number(at, "line"), text(at, "text")), (line, marked.trim()), "{name}: {program}");
            assert!(text(at, "file").ends_with(&format!("{name}.bpf.c")) && number(at, "column") > 0, "{name}: {at}");
        } else {
            assert_eq!(at, &Json::Null, "{name}");
        }
        assert!(number(&explanation["insn"], "number") >= 0, "{name}");
        assert!(is_filled(why, text(explanation, "why")), "{name}: {why}\n{explanation}");
        assert!(is_filled(mend, text(explanation, "mend")), "{name}: {mend}\n{explanation}");
        assert!(text(&program, "log").ends_with(text(explanation, "reason")) || text(&program, "log").contains('\n'));
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn each_loads_once_its_patch_is_applied() {
    for Message { name, .. } in messages() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("bpf-src/broken");
        std::fs::create_dir_all(&folder).unwrap();
        copy_headers(&bpf_src(), &dir.path().join("bpf-src"));
        copy_headers(&bpf_src().join("broken"), &folder);
        let source = folder.join(format!("{name}.bpf.c"));
        std::fs::copy(broken(name, ".bpf.c"), &source).unwrap();
        output_of(Command::new("patch").arg("-sp1").arg("-i").arg(broken(name, ".patch")).current_dir(dir.path()));
        let made = compile_file(&source);
        let program = run(["check", &made.path(), "--json"]).expect(0).only("program");
        assert_eq!((text(&program, "verdict"), &program["explanation"]), ("loaded", &Json::Null), "{name}");
    }
}

fn copy_headers(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        if file.path().extension().is_some_and(|extension| extension == "h") {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_history_goes_back_to_where_the_value_came_from() {
    let history = |name| {
        let program = run(["check", &broken(name, ".bpf.o"), "--json"]).expect(5).only("program");
        let events = program["explanation"]["history"].as_array().unwrap().clone();
        events.iter().map(|event| text(&event["insn"], "text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(history("null-check"), ["call bpf_map_lookup_elem"]);
    assert_eq!(history("ringbuf-leak"), ["call bpf_ringbuf_reserve"]);
    let index = history("value-index");
    assert_eq!(index.first().map(String::as_str), Some("call bpf_map_lookup_elem"), "{index:?}");
    assert_eq!(index.last().map(String::as_str), Some("r0 += r1"), "{index:?}");
}

#[test]
#[ignore = "needs CAP_BPF"]
fn load_explains_as_check_does() {
    let args = ["load", &broken("null-check", ".bpf.o"), "--connect", "127.0.0.1:9"];
    let ran = run(args).expect(5);
    for words in ["null-check.bpf.c:20", "insn    8:", "before  7: call bpf_map_lookup_elem", "why ", "mend ", "see "] {
        assert!(ran.stderr.contains(words), "{words} in\n{}", ran.stderr);
    }
    let error = run(args.iter().copied().chain(["--json"])).expect(5).only("error");
    assert_eq!(error["explanation"]["message"], "null-check", "{error}");
}

#[test]
fn the_list_in_the_docs_is_this_one() {
    holds_list("verifier.md", "made from loader/src/verdict/messages.rs", &format!("\n{}", in_docs()));
}
