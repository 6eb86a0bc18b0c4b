//! The manual: its pages render, and say all that `--help` does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use tempfile::TempDir;

use crate::support::process::{output_of, run};

const COMMANDS: [&str; 13] = [
    "demo",
    "check",
    "load",
    "run",
    "explain",
    "report",
    "doctor",
    "attach",
    "detach",
    "sockets",
    "dump",
    "set",
    "completions",
];

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts").join(name)
}

/// The pages, by the command's name.
fn manual() -> (TempDir, Vec<(String, PathBuf)>) {
    let dir = tempfile::tempdir().unwrap();
    output_of(Command::new(script("man")).arg(dir.path()));
    let page = |name: &str| dir.path().join(format!("{name}.1"));
    let mut pages = vec![(String::new(), page("minibpf"))];
    pages.extend(COMMANDS.map(|name| (name.to_owned(), page(&format!("minibpf-{name}")))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), pages.len());
    (dir, pages)
}

/// The page as a terminal shows it, on lines that are never broken.
fn rendered(page: &Path) -> String {
    let mut man = Command::new("man");
    let text = output_of(
        man.arg("-l").arg(page).env("MANWIDTH", "10000").env("LC_ALL", "C.UTF-8").env("MAN_KEEP_FORMATTING", ""),
    );
    // Words are joined by as many spaces as fill the line.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn help(command: &str) -> String {
    let args: Vec<&str> = [command, "--help"].into_iter().filter(|arg| !arg.is_empty()).collect();
    run(args).expect(0).text()
}

#[test]
fn every_page_renders_without_a_warning() {
    let (_dir, pages) = manual();
    for (_, page) in &pages {
        let lint = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(page).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&lint.stdout), "", "{}", page.display());
        let groff = Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(page).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&groff.stderr), "", "{}", page.display());
        assert!(lint.status.success() && groff.status.success() && !groff.stdout.is_empty());
    }
}

#[test]
fn a_page_has_every_option_command_and_example_that_help_has() {
    let (_dir, pages) = manual();
    let option = Regex::new(r"(?m)^ {2,6}((?:-\w, )?--[a-z-]+)").unwrap();
    let (mut options, mut examples) = (0, 0);
    for (command, page) in &pages {
        let (text, help) = (rendered(page), help(command));
        for found in option.captures_iter(&help) {
            options += 1;
            assert!(text.contains(&found[1]), "minibpf {command}: no {} in\n{text}", &found[1]);
        }
        let (_, list) = help.split_once("Examples:\n").unwrap();
        for line in list.lines().take_while(|line| !line.is_empty()) {
            examples += 1;
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&line), "minibpf {command}: no `{line}` in\n{text}");
        }
        for section in
            ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"]
        {
            assert!(text.contains(&format!(" {section} ")), "minibpf {command}: no {section}");
        }
        assert!(text.contains("5 the kernel refused a program or a map") && text.contains("LISTEN_FDS"));
    }
    assert!(options > 150 && examples > 50, "{options} options, {examples} examples");
    let whole = rendered(&pages[0].1);
    for command in COMMANDS {
        assert!(whole.contains(&format!("minibpf-{command}(1)")), "{command}");
        assert!(help("").contains(&format!("\n  {command} ")), "{command}");
    }
}

#[test]
fn the_manual_needs_a_directory() {
    let no_dir = Command::new(script("man")).output().unwrap();
    assert_eq!(no_dir.status.code(), Some(2));
    let file = tempfile::NamedTempFile::new().unwrap();
    let at_a_file = Command::new(script("man")).arg(file.path()).output().unwrap();
    assert!(!at_a_file.status.success());
    assert!(String::from_utf8_lossy(&at_a_file.stderr).starts_with("man: /"), "{at_a_file:?}");
}
