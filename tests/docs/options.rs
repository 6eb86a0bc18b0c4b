//! The table of options is the program's: what `--help` offers stands in it, with the commands that take it, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use regex::Regex;

use crate::pages;

/// Options, each with the commands that take it.
type Options = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn help(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_minibpf")).args(args).arg("--help").output().unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands' names.
pub(crate) fn commands() -> Vec<String> {
    let whole = help(&[]);
    let (_, list) = whole.split_once("Commands:\n").unwrap();
    let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
        // A description that is too long goes on in a line of its own, further in.
        line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split_whitespace().next()
    });
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// What the commands offer.
fn offered() -> Options {
    // Descriptions stand further in than options.
    let option = Regex::new(r"(?m)^ {2,6}(?:-\w, )?(--[a-z-]+)").unwrap();
    let mut offered = Options::new();
    for command in commands() {
        for found in option.captures_iter(&help(&[&command])) {
            offered.entry(found[1].to_owned()).or_default().insert(command.clone());
        }
    }
    offered.remove("--help");
    offered
}

#[test]
fn the_table_of_options_is_what_the_commands_offer() {
    let pages = pages::of_the_book();
    let page = &pages.iter().find(|page| page.name == "docs/command-line.md").unwrap().text;
    let (_, targets) = page.split_once("\n## Targets\n").unwrap();
    let (targets, rest) = targets.split_once("\n## Options\n").unwrap();
    let (table, _) = rest.split_once("\n## ").unwrap();
    let offered = offered();
    assert!(offered.len() > 40, "only {offered:?}");
    let commands: BTreeSet<String> = offered.values().flatten().cloned().collect();
    let option = Regex::new("--[a-z-]+").unwrap();
    let mut said = Options::new();
    for row in table.lines().filter_map(|line| line.strip_prefix("| `")) {
        let cells: Vec<_> = row.split(" | ").collect();
        let of = match cells[1] {
            "all" => commands.clone(),
            some => some.split(", ").map(str::to_owned).collect(),
        };
        for found in option.find_iter(cells[0]) {
            said.entry(found.as_str().to_owned()).or_default().extend(of.clone());
        }
    }
    // The targets have a table of their own.
    let targets = targets.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let targets: BTreeSet<&str> = targets.flat_map(|cell| option.find_iter(cell)).map(|found| found.as_str()).collect();
    let options: BTreeSet<&String> = offered.keys().chain(said.keys()).collect();
    let mut wrong = Vec::new();
    for option in options.into_iter().filter(|option| !targets.contains(option.as_str())) {
        let (offered, said) = (offered.get(option), said.get(option));
        if offered != said {
            wrong.push(format!("{option}: of {offered:?}, the table says {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "docs/command-line.md:\n{}", wrong.join("\n"));
}
