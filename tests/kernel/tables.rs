//! What the tables of `uapi` say of helpers and of the context, asked of the kernel, number by number.

use std::fmt::Write as _;

use minibpf::uapi::{Access, FIELDS, Helper};

use crate::support::objects::{Made, compile_file};
use crate::support::process::run;
use crate::support::{Json, text};

/// Compiles a program for each body, under a licence.
fn programs(bodies: impl Iterator<Item = String>, license: &str) -> Made {
    let mut c = format!("char _license[] __attribute__((section(\"license\"))) = \"{license}\";\n");
    for (number, body) in bodies.enumerate() {
        writeln!(c, "__attribute__((section(\"socket\"))) int p{number}(char *ctx) {{ (void)ctx; {body} }}").unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("test.bpf.c");
    std::fs::write(&source, c).unwrap();
    compile_file(&source)
}

/// The last words about each program; nothing of those that load.
fn words(made: &Made) -> Vec<String> {
    let ran = run(["check", &made.path(), "--json"]);
    let lines = ran.kind("program");
    lines
        .iter()
        .map(|line| if line["log"] == Json::Null { String::new() } else { text(line, "log").to_owned() })
        .collect()
}

/// The last helper; the kernel gets no more.
const LAST: i64 = 211;

fn helpers() -> impl Iterator<Item = Helper> {
    (1..=LAST).map(|number| Helper::of(number).unwrap())
}

fn calls(license: &str) -> Vec<String> {
    words(&programs(helpers().map(|helper| format!("return ((long (*)(void)){})();", helper.number)), license))
}

/// Whether this kernel is one that the tables were made from, or newer.
fn is_new() -> bool {
    let release = nix::sys::utsname::uname().unwrap().release().to_str().unwrap().to_owned();
    let mut numbers = release.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(18))
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_helpers_that_a_socket_filter_may_call_are_those_of_the_table() {
    let lines = calls("GPL");
    assert_eq!(lines.len(), LAST as usize);
    for (helper, words) in helpers().zip(lines) {
        let is_refused =
            ["cannot use helper", "unknown func", "invalid func"].iter().any(|words_| words.contains(words_));
        // Locks are refused for another reason: maps with them are not for socket filters.
        let is_lock = helper.name().starts_with("bpf_spin_");
        if is_new() {
            assert_eq!(!is_refused && !is_lock, helper.is_open_to_socket_filters(), "{}: {words}", helper.name());
        } else {
            assert!(is_refused || is_lock || helper.is_open_to_socket_filters(), "{}: {words}", helper.name());
        }
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_helpers_that_want_a_gpl_compatible_licence_are_those_of_the_table() {
    for (helper, words) in helpers().zip(calls("MIT")).filter(|(helper, _)| helper.is_open_to_socket_filters()) {
        let is_refused = words.contains("cannot call GPL");
        assert!(!is_new() || is_refused == helper.is_gpl_only(), "{}: {words}", helper.name());
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_fields_that_a_socket_filter_may_read_and_write_are_those_of_the_table() {
    let typed = FIELDS.map(|field| {
        (
            field,
            match field.size {
                8 => "unsigned long long",
                1 | 3 => "unsigned char",
                _ => "unsigned",
            },
        )
    });
    let place = |offset: i64, ty: &str| format!("*(volatile {ty} *)(ctx + {offset})");
    let reads = words(&programs(typed.iter().map(|(field, ty)| format!("return {};", place(field.offset, ty))), "GPL"));
    let writes =
        words(&programs(typed.iter().map(|(field, ty)| format!("{} = 0; return 0;", place(field.offset, ty))), "GPL"));
    for ((field, _), (read, write)) in typed.iter().zip(reads.iter().zip(&writes)) {
        assert_eq!(read.is_empty(), field.access != Access::None, "{} is read: {read}", field.name);
        assert_eq!(write.is_empty(), field.access == Access::Write, "{} is written: {write}", field.name);
    }
}
