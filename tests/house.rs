//! One direction: the table of docs/design.md says which module stands on which floor, and no module names one that stands beside
//! or above it. The sources are read as tokens, so that macros and nested `use` count, and comments do not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test may panic: that is how it fails"
)]
#![allow(missing_docs, reason = "tests are named by the sentences they prove")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use regex::Regex;

/// A row of the table.
struct Row {
    module: String,
    floor: u32,
    job: String,
    /// Whether it opens no file and no descriptor.
    is_pure: bool,
}

fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().unwrap().to_owned()
}

/// The table, from the top floor down: floor, module, its one job, what it opens.
fn table() -> Vec<Row> {
    let page = fs::read_to_string(root().join("docs/design.md")).unwrap();
    let row = Regex::new(r"(?m)^\| (\d+) \| \[`(\w+)`\]\([^)]*\) \| (.*) \| (.*) \|$").unwrap();
    let rows = row.captures_iter(&page).map(|cells| Row {
        floor: cells[1].parse().unwrap(),
        module: cells[2].to_owned(),
        job: without_links(&cells[3]),
        is_pure: &cells[4] == "nothing",
    });
    rows.collect()
}

/// `[x](y)` as `x`.
fn without_links(text: &str) -> String {
    Regex::new(r"\[([^\]]*)\](\([^)]*\))?").unwrap().replace_all(text, "$1").into_owned()
}

/// Each source of the product, with the path of its module: `["link", "core", "value"]`.
fn sources() -> Vec<(Vec<String>, TokenStream)> {
    let sources = root().join("loader/src");
    let mut found = Vec::new();
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            if path.is_symlink() || matches!(name.as_str(), "tests" | "testing") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if is_source {
                let folders = path.strip_prefix(&sources).unwrap().parent().unwrap();
                let folders = folders.iter().map(|folder| folder.to_str().unwrap().to_owned());
                let own = Some(name).filter(|name| !matches!(name.as_str(), "mod" | "lib" | "main"));
                let text = fs::read_to_string(&path).unwrap();
                let tokens = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found.push((folders.chain(own).collect(), tokens));
            }
        }
    }
    found
}

/// Every path that begins with one of these words, as the word and the names that may follow it: `use crate::{elf, sys::bpf}`
/// gives `elf` and `sys`. What stands behind `#[cfg(test)]` is passed over.
fn named(tokens: TokenStream, roots: &[&str], found: &mut BTreeSet<(String, String)>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let is_colons = |at: usize| (0..2).all(|n| is_punct(tokens.get(at + n), ':'));
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is_punct(Some(token), '#') && tokens.get(at + 1).is_some_and(|token| token.to_string() == "[cfg (test)]") {
            let is_end = |token: &TokenTree| is_punct(Some(token), ';') || is_group(token, Delimiter::Brace).is_some();
            at += tokens[at..].iter().position(is_end).unwrap();
        } else if let TokenTree::Group(group) = token {
            named(group.stream(), roots, found);
        } else if let TokenTree::Ident(ident) = token
            && let Some(root) = roots.iter().find(|root| ident == **root)
            && is_colons(at + 1)
            && (at < 2 || !is_colons(at - 2))
        {
            let next = &tokens[at + 3];
            let names = is_group(next, Delimiter::Brace).map_or_else(|| vec![next.to_string()], firsts);
            found.extend(names.into_iter().map(|name| ((*root).to_owned(), name)));
        }
        at += 1;
    }
}

/// The first name of each branch of `{a::b, c::{d, e}, f}`.
fn firsts(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let branches = tokens.split(|token| is_punct(Some(token), ','));
    branches.filter_map(|branch| Some(branch.first()?.to_string())).collect()
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> Option<TokenStream> {
    match token {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group.stream()),
        _ => None,
    }
}

/// The modules at the top that each module names, with where.
fn uses() -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut uses: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (path, tokens) in sources() {
        let Some(module) = path.first() else { continue };
        let mut found = BTreeSet::new();
        named(tokens, &["crate", "minibpf"], &mut found);
        for (_, name) in found {
            uses.entry((module.clone(), name)).or_default().insert(path.join("::"));
        }
    }
    uses
}

#[test]
fn every_module_is_in_the_table_and_the_table_has_no_other() {
    let library = fs::read_to_string(root().join("loader/src/lib.rs")).unwrap();
    let declared = Regex::new(r"(?m)^pub mod (\w+);").unwrap();
    let mut declared: Vec<_> = declared.captures_iter(&library).map(|name| name[1].to_owned()).collect();
    declared.push("cmd".to_owned());
    let mut rows: Vec<_> = table().into_iter().map(|row| row.module).collect();
    declared.sort();
    rows.sort();
    assert_eq!(rows, declared);
}

#[test]
fn the_table_and_the_library_tell_a_module_s_job_in_the_same_words() {
    let library = fs::read_to_string(root().join("loader/src/lib.rs")).unwrap();
    let row = Regex::new(r"(?m)^//! \| \[`(\w+)`\] \| (.*) \|$").unwrap();
    let told: BTreeMap<_, _> =
        row.captures_iter(&library).map(|cells| (cells[1].to_owned(), without_links(&cells[2]))).collect();
    for Row { module, job, .. } in table().iter().filter(|row| row.module != "cmd") {
        assert_eq!(told.get(module), Some(job), "loader/src/lib.rs and docs/design.md on `{module}`");
    }
}

#[test]
fn a_module_names_only_modules_of_lower_floors() {
    let floors: BTreeMap<_, _> = table().into_iter().map(|row| (row.module, row.floor)).collect();
    let uses = uses();
    assert!(uses.len() > 60, "only {} pairs found", uses.len());
    let mut wrong = Vec::new();
    for ((module, name), places) in &uses {
        let (Some(from), Some(to)) = (floors.get(module), floors.get(name)) else { continue };
        if module != name && to >= from {
            wrong.push(format!("`{module}` (floor {from}) names `{name}` (floor {to}): {places:?}"));
        }
    }
    assert!(wrong.is_empty(), "against the table of docs/design.md:\n{}", wrong.join("\n"));
}

#[test]
fn no_path_climbs_out_of_its_module_by_super() {
    let climbs = Regex::new(r"(super :: )+").unwrap();
    for (path, tokens) in sources() {
        let text = tokens.to_string();
        let highest = climbs.find_iter(&text).map(|climb| climb.as_str().matches("super").count()).max();
        // A module in the file itself, as the tests have, is one deeper.
        assert!(highest.is_none_or(|highest| highest <= path.len()), "{}", path.join("::"));
    }
}

#[test]
fn what_is_called_pure_opens_nothing() {
    let pure: BTreeSet<_> = table().into_iter().filter(|row| row.is_pure).map(|row| row.module).collect();
    assert!(pure.contains("link") && pure.contains("plan"));
    let effects = ["env", "fs", "os", "process", "thread", "time"];
    // Of std::net the addresses are plain values.
    let sockets = Regex::new(r"\b(Tcp(Stream|Listener)|UdpSocket|Unix(Stream|Listener|Datagram))\b").unwrap();
    let mut wrong = Vec::new();
    for (path, tokens) in sources().into_iter().filter(|(path, _)| path.first().is_some_and(|it| pure.contains(it))) {
        let socket =
            sockets.find(&tokens.to_string()).map(|found| format!("{} names {}", path.join("::"), found.as_str()));
        wrong.extend(socket);
        let mut found = BTreeSet::new();
        named(tokens, &["std", "crate", "libc", "nix", "memmap2"], &mut found);
        let is_effect = |root: &str, name: &str| match root {
            "std" => effects.contains(&name),
            "crate" => matches!(name, "sys" | "kernel" | "hook" | "observe"),
            _ => true,
        };
        let effects = found.into_iter().filter(|(root, name)| is_effect(root, name));
        wrong.extend(effects.map(|(root, name)| format!("{} names {root}::{name}", path.join("::"))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_name_is_found_in_a_use_a_path_and_a_macro_but_not_in_a_comment_or_a_test() {
    let source = "/// [`crate::kernel`]\nuse crate::{elf::{Object, self}, sys as s};\nfn f() { say!(crate::link::x(std::fs::read())); }\n\
        #[cfg(test)]\nmod tests { use crate::cmd; }\nuse other::crate_::hook;";
    let mut found = BTreeSet::new();
    named(source.parse().unwrap(), &["crate", "std"], &mut found);
    let found: Vec<_> = found.iter().map(|(root, name)| format!("{root}::{name}")).collect();
    assert_eq!(found, ["crate::elf", "crate::link", "crate::sys", "std::fs"]);
}
