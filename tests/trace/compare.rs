//! One call, as strace saw it and as minibpf's JSON says it.

use crate::insns;
use crate::strace::{Call, Node};
use crate::support::{Json, number, text, unhex};

/// The calls that strace was asked for, out of minibpf's `syscall` lines.
pub(crate) fn traced(lines: &[Json]) -> Vec<&Json> {
    let is_traced = |line: &&Json| ["bpf", "setsockopt", "mkdir"].contains(&text(line, "syscall"));
    lines.iter().filter(|line| line["kind"] == "syscall").filter(is_traced).collect()
}

/// Compares all calls of a process, in order.
#[track_caller]
pub(crate) fn all(strace: &[Call], lines: &[Json]) {
    let said = traced(lines);
    let commands: Vec<_> = strace.iter().map(Call::command).collect();
    assert_eq!(commands, said.iter().map(|line| text(line, "call")).collect::<Vec<_>>());
    for (seen, said) in strace.iter().zip(said) {
        one(seen, said);
    }
}

#[track_caller]
pub(crate) fn one(seen: &Call, said: &Json) {
    assert_eq!(seen.name, text(said, "syscall"));
    assert_eq!(seen.ret, number(said, "ret"), "{said}");
    assert_eq!(seen.errno.as_deref(), said["errno"].as_str(), "{said}");
    let attr = said["attr"].as_object().unwrap();
    if seen.name != "bpf" {
        assert_eq!(attr.len(), seen.args.len(), "{said}");
        attr.iter().zip(&seen.args).for_each(|((name, said), seen)| field(name, seen, said));
        return;
    }
    assert_eq!(seen.args[2].number(), number(said, "size"), "{said}");
    let Some(fields) = seen.attr() else {
        assert_ne!(seen.args[1].number(), 0, "{said}");
        return;
    };
    let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
    assert_eq!(names, attr.keys().collect::<Vec<_>>(), "{}", seen.command());
    for (name, seen) in fields {
        field(name, seen, &attr[name]);
    }
}

/// A field: numbers by value, constants by name, bytes by what they are, and pointers to what strace does not show by whether
/// they point anywhere.
#[track_caller]
fn field(name: &str, seen: &Node, said: &Json) {
    let same = match (said, seen) {
        (Json::Number(_), seen) => said.as_i64() == Some(seen.number()),
        (Json::Null, Node::Word(word)) => word == "NULL",
        (Json::String(said), Node::Array(items)) if name == "optval" => *said == format!("[{}]", items[0].word()),
        // A classic filter: its length, of which strace shows the instructions, too.
        (Json::String(said), Node::Struct(fields)) if name == "optval" => {
            fields.first().is_some_and(|(name, len)| said.starts_with(&format!("{{{name}={},", len.word())))
        }
        (Json::String(said), seen @ Node::Array(_)) => unhex(said) == insns::encode_all(seen),
        (Json::String(said), Node::Text(bytes)) if name == "btf" => unhex(said) == *bytes,
        (Json::String(said), Node::Word(word)) if is_address(word) => said == "..." || !unhex(said).is_empty(),
        (Json::String(said), Node::Word(word)) => said == word,
        (Json::String(said), Node::Text(_) | Node::Struct(_)) if said == "..." => true,
        (Json::String(said), Node::Text(bytes)) => said.as_bytes() == bytes,
        _ => false,
    };
    assert!(same, "{name}: strace saw {seen:?}, minibpf says {said}");
}

fn is_address(word: &str) -> bool {
    word.starts_with("0x") && word.len() > 8
}
