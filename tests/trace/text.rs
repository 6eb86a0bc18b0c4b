//! `--trace` as text: strace's words, and the same facts as the JSON.

use crate::compare::traced;
use crate::strace::{Node, parse_line};
use crate::support::objects::{COMMITTED, object};
use crate::support::process::{run, run_with_input};
use crate::support::server::HttpServer;
use crate::support::{Json, number, text, unhex};

/// The lines of `--trace`, without the program's own words.
fn trace_lines(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.starts_with("bpf(") || line.starts_with("setsockopt(")).collect()
}

/// As the text has a field: bytes as a string, instructions as hex, a null pointer by its name.
fn agrees(name: &str, written: &Node, said: &Json) -> bool {
    match (said, written) {
        (Json::Number(_), written) => said.as_i64() == Some(written.number()),
        (Json::Null, Node::Word(word)) => word == "NULL",
        (Json::String(said), Node::Array(slots)) => slots.iter().map(Node::word).collect::<String>() == *said,
        (Json::String(said), Node::Text(bytes)) if name.ends_with("name") || name == "license" => {
            said.as_bytes() == bytes
        }
        (Json::String(said), Node::Text(bytes)) => unhex(said) == *bytes,
        (Json::String(said), Node::Word(word)) => said == word,
        _ => false,
    }
}

/// `--trace -v` and `--trace --json` of the same command. Descriptors are numbered alike in both, since both make the same
/// calls.
#[track_caller]
fn compare(args: &[&str]) {
    let with =
        |more: [&'static str; 2]| run_with_input(args.iter().copied().chain(more), HttpServer::REQUEST).expect(0);
    let (written, said) = (with(["--trace", "-v"]).stderr, with(["--trace", "--json"]).lines());
    let (written, said) = (trace_lines(&written), traced(&said));
    assert_eq!(written.len(), said.len(), "{args:?}");
    for (line, said) in written.iter().zip(&said) {
        let call = parse_line(line);
        assert_eq!((call.command(), call.ret), (text(said, "call"), number(said, "ret")));
        assert!(line.ends_with(&format!("/* {} */", text(said, "why"))), "{line}");
        let attr = said["attr"].as_object().unwrap();
        if call.name == "setsockopt" {
            assert!(line.starts_with(&format!(
                "setsockopt({}, SOL_SOCKET, {}, ",
                attr["fd"],
                text(&said["attr"], "optname")
            )));
            continue;
        }
        assert_eq!(call.args[2].number(), number(said, "size"));
        let fields = call.attr().unwrap();
        assert_eq!(fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), attr.keys().collect::<Vec<_>>());
        for (field, written) in fields {
            assert!(agrees(field, written, &attr[field]), "{field}: {written:?}, {}", attr[field]);
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn the_verbose_text_says_the_same_as_the_json() {
    let server = HttpServer::start();
    for name in COMMITTED {
        compare(&["check", &object(name)]);
        compare(&["load", &object(name), "--connect", &server.target()]);
    }
}

#[test]
#[ignore = "needs CAP_BPF and strace"]
fn the_short_text_differs_only_in_what_it_leaves_out() {
    let long = run(["check", &object("count"), "--trace", "-v"]).expect(0).stderr;
    let short = run(["check", &object("count"), "--trace"]).expect(0).stderr;
    let (long, short) = (trace_lines(&long), trace_lines(&short));
    assert_eq!(long.len(), short.len());
    for (long, short) in long.iter().zip(short) {
        let mut rest = *long;
        for piece in short.replace(", ...]", "...").replace("\"...", "...").split("...") {
            rest = rest.split_once(piece).unwrap_or_else(|| panic!("`{piece}` is not in {long}")).1;
        }
    }
}
