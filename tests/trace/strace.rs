//! strace, the referee: its lines read back into values.

use std::process::Command;

use crate::support::process::{MINIBPF, Ran, Running};

/// A value as strace prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Struct(Vec<(String, Node)>),
    Array(Vec<Node>),
    /// A string, as bytes.
    Text(Vec<u8>),
    /// A number, a constant, an address.
    Word(String),
}

/// A system call as strace prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) args: Vec<Node>,
    pub(crate) ret: i64,
    /// `EPERM` …
    pub(crate) errno: Option<String>,
}

impl Node {
    #[track_caller]
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Word(word) => word,
            other => panic!("expected a word, found {other:?}"),
        }
    }

    /// Decimal or hexadecimal, perhaps negative.
    #[track_caller]
    pub(crate) fn number(&self) -> i64 {
        let word = self.word();
        let number = match word.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok().map(u64::cast_signed),
            None => word.parse().ok(),
        };
        number.unwrap_or_else(|| panic!("expected a number, found {word}"))
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find_map(|(field, value)| (field == name).then_some(value))
    }
}

impl Call {
    /// The command of bpf(2), else the name of the call.
    pub(crate) fn command(&self) -> &str {
        if self.name == "bpf" { self.args[0].word() } else { &self.name }
    }

    /// The fields of the attr, without the struct that strace puts around those of `BPF_OBJ_GET_INFO_BY_FD`; `None` where it
    /// shows only an address.
    pub(crate) fn attr(&self) -> Option<&[(String, Node)]> {
        match self.args.get(1)? {
            Node::Struct(fields) => match fields.as_slice() {
                [(_, Node::Struct(inner))] => Some(inner),
                _ => Some(fields),
            },
            _ => None,
        }
    }
}

/// Runs minibpf under strace; returns its bpf, setsockopt and mkdir calls, and how it ended.
#[track_caller]
pub(crate) fn strace(args: &[&str], input: &[u8]) -> (Vec<Call>, Ran) {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("strace");
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-v",
        "-xx",
        "-s",
        "65536",
        "-qq",
        "-e",
        "signal=none",
        "-e",
        "trace=bpf,setsockopt,mkdir",
        "-o",
    ]);
    command.arg(&log).arg(MINIBPF).args(args);
    let mut running = Running::command(&mut command);
    running.send(input);
    running.end_input();
    let ran = running.end();
    let log = std::fs::read_to_string(log).unwrap();
    // With -f each line begins with the thread's number.
    let calls = log.lines().map(|line| parse_line(line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start()));
    (calls.collect(), ran)
}

/// Reads `name(arguments) = value ERRNO (text)`; what follows is left aside.
#[track_caller]
pub(crate) fn parse_line(line: &str) -> Call {
    assert!(!line.contains("unfinished"), "two threads at once: {line}");
    let plain = without_comments(line);
    let mut reader = Reader(&plain);
    let name = reader.until('(');
    reader.expect("(");
    let args = reader.list(")");
    let rest = reader.0.trim_start().strip_prefix("= ").unwrap_or_else(|| panic!("no result in {line}"));
    let mut words = rest.split_whitespace();
    let ret = Node::Word(words.next().unwrap_or_default().to_owned()).number();
    Call { name, args, ret, errno: words.next().map(str::to_owned) }
}

/// Without `/* … */`, which strace uses for what a constant means, and minibpf for why a call is made.
fn without_comments(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("/*") {
        plain.push_str(before.trim_end());
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    plain + rest
}

/// A value after the call.
fn changed(before: Node, after: Node) -> Node {
    match (before, after) {
        (Node::Struct(mut fields), Node::Struct(after)) => {
            for (name, value) in after {
                if let Some((_, before)) = fields.iter_mut().find(|(field, _)| *field == name) {
                    *before = changed(before.clone(), value);
                }
            }
            Node::Struct(fields)
        }
        (_, after) => after,
    }
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    #[track_caller]
    fn expect(&mut self, text: &str) {
        self.0 = self.0.strip_prefix(text).unwrap_or_else(|| panic!("expected {text} at {}", self.0));
    }

    fn until(&mut self, end: char) -> String {
        let at = self.0.find(end).unwrap_or_else(|| panic!("no {end} in {}", self.0));
        let (text, rest) = self.0.split_at(at);
        self.0 = rest;
        text.to_owned()
    }

    /// Values up to the closing bracket, separated by commas.
    fn list(&mut self, end: &str) -> Vec<Node> {
        let mut values = Vec::new();
        while !self.0.starts_with(end) {
            values.push(self.value());
            self.0 = self.0.strip_prefix(", ").unwrap_or(self.0);
        }
        self.expect(end);
        values
    }

    /// A value; of `before => after` the latter, whose structs hold only the fields that have changed.
    fn value(&mut self) -> Node {
        let value = match self.0.chars().next() {
            Some('{') => self.fields(),
            Some('[') => {
                self.expect("[");
                Node::Array(self.list("]"))
            }
            Some('"') => self.string(),
            _ => self.one_word(),
        };
        match self.0.strip_prefix(" => ") {
            Some(rest) => {
                self.0 = rest;
                changed(value, self.value())
            }
            None => value,
        }
    }

    fn fields(&mut self) -> Node {
        self.expect("{");
        let mut fields = Vec::new();
        while !self.0.starts_with('}') {
            let name = self.until('=');
            self.expect("=");
            fields.push((name, self.value()));
            self.0 = self.0.strip_prefix(", ").unwrap_or(self.0);
        }
        self.expect("}");
        Node::Struct(fields)
    }

    /// `"\x61\x62"`, as -xx has it, or plain text.
    fn string(&mut self) -> Node {
        self.expect("\"");
        let text = self.until('"');
        self.expect("\"");
        assert!(!self.0.starts_with("..."), "a string was cut: {text}");
        let mut bytes = Vec::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            if let Some(escape) = rest.strip_prefix("\\x") {
                bytes.push(u8::from_str_radix(&escape[..2], 16).unwrap());
                rest = &escape[2..];
            } else {
                assert!(first != '\\', "an escape that is not \\xNN: {text}");
                bytes.extend(first.to_string().bytes());
                rest = &rest[first.len_utf8()..];
            }
        }
        Node::Text(bytes)
    }

    /// Up to a comma or a closing bracket, but whole `KERNEL_VERSION(0, 0, 0)`.
    fn one_word(&mut self) -> Node {
        let mut depth = 0;
        let end = self.0.char_indices().find(|(at, c)| {
            match c {
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                ',' | '}' | ']' | ')' if depth == 0 => return true,
                ' ' if self.0[*at..].starts_with(" => ") => return true,
                _ => {}
            }
            false
        });
        let (word, rest) = self.0.split_at(end.map_or(self.0.len(), |(at, _)| at));
        self.0 = rest;
        Node::Word(word.trim_end().to_owned())
    }
}
