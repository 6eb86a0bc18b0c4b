//! Every console block of the README and the docs, run and compared.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic: that is how it fails"
)]
#![allow(missing_docs, reason = "tests are named by the sentences they prove")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex::Regex;

/// A line that the shell prints between the commands of a block.
const MARK: &str = "---8<--- next command ---8<---";

#[test]
#[ignore = "needs CAP_BPF"]
fn every_console_block_prints_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let update = std::env::var_os("MINIBPF_UPDATE_DOCS").is_some();
    let mut differences = String::new();
    let mut commands = 0;
    for page in pages(root) {
        let text = fs::read_to_string(&page).unwrap();
        let (now, count) = run_blocks(root, &text);
        commands += count;
        if update {
            fs::write(&page, &now).unwrap();
        } else if normal(&text) != normal(&now) {
            write!(differences, "\n{}:\n{}", page.display(), diff(&normal(&text), &normal(&now))).unwrap();
        }
    }
    assert!(commands > 10, "only {commands} commands found");
    assert!(differences.is_empty(), "the docs say something else than the commands:{differences}");
}

#[test]
fn every_link_to_a_file_of_this_repository_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let link = Regex::new(r"\]\(([^)#:]+)\)").unwrap();
    let mut links = 0;
    for page in pages(root) {
        let text = fs::read_to_string(&page).unwrap();
        for target in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            links += 1;
            assert!(page.parent().unwrap().join(&target).exists(), "{}: {target}", page.display());
        }
    }
    assert!(links > 10, "only {links} links found");
}

/// The README, and every page of the docs.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.push(root.join("README.md"));
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

/// Returns the page with the present output in each console block, and the number of commands run.
fn run_blocks(root: &Path, text: &str) -> (String, usize) {
    // Files that a page makes are seen by its later blocks.
    let scratch = tempfile::tempdir().unwrap();
    for name in ["bpf-src", "docs", "loader", "scripts", "Cargo.toml"] {
        std::os::unix::fs::symlink(root.join(name), scratch.path().join(name)).unwrap();
    }
    let mut page = String::new();
    let mut count = 0;
    let mut lines = text.lines();
    let mut shells = Vec::new();
    while let Some(line) = lines.next() {
        writeln!(page, "{line}").unwrap();
        if line != "```console" {
            continue;
        }
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let commands = commands(&block);
        count += commands.len();
        let (output, shell) = run(scratch.path(), &commands);
        shells.push(shell);
        for (command, output) in commands.iter().zip(output) {
            writeln!(page, "$ {}", command.replace('\n', "\n> ")).unwrap();
            page.push_str(&output);
        }
        writeln!(page, "```").unwrap();
    }
    // A block may leave a server behind for the blocks after it; it ends with the page.
    for group in shells {
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    }
    (page, count)
}

/// The commands of a block: a line that begins with `$`, and the lines after it that go on with `>`.
fn commands(block: &[&str]) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in block {
        match (line.strip_prefix("$ "), line.strip_prefix("> ").filter(|_| goes_on)) {
            (Some(command), _) => commands.push(command.to_owned()),
            (None, Some(more)) => {
                let command = commands.last_mut().unwrap();
                command.push('\n');
                command.push_str(more);
            }
            (None, None) => {}
        }
        goes_on = line.starts_with("$ ") || goes_on && line.starts_with("> ");
    }
    commands
}

/// Runs the commands of a block in one shell; returns the output of each, and the shell's process group.
fn run(directory: &Path, commands: &[String]) -> (Vec<String>, nix::unistd::Pid) {
    let script: Vec<_> = commands.iter().map(|command| format!("{command}\necho '{MARK}'")).collect();
    let bin = Path::new(env!("CARGO_BIN_EXE_minibpf")).parent().unwrap();
    let path = format!("{}:{}:/usr/sbin:/sbin", bin.display(), std::env::var("PATH").unwrap());
    let shell = Command::new("bash")
        .args(["-c", &format!("exec 2>&1\n{}", script.join("\n"))])
        .current_dir(directory)
        .env("PATH", path)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let group = nix::unistd::Pid::from_raw(shell.id() as i32);
    let output = shell.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut parts: Vec<String> = text.split(&format!("{MARK}\n")).map(str::to_owned).collect();
    assert_eq!(parts.pop().as_deref(), Some(""), "the shell ended early: {text}");
    assert_eq!(parts.len(), commands.len(), "{text}");
    (parts, group)
}

/// Replaces what differs from run to run.
fn normal(text: &str) -> String {
    let rules = [
        (r"127\.0\.0\.1:\d{2,5}", "127.0.0.1:PORT"),
        (r"htons\(\d+\)", "htons(PORT)"),
        (r"(?m)^\d+: (socket_filter|array|hash)  ", "ID: $1  "),
        (r"(?m)^ *\d+\.\d s(:|  ran)", "T s$1"),
        (r"\bmemlock \d+B", "memlock NB"),
        (r#""id":\d+"#, "\"id\":ID"),
        (r"\b(btf_id|program id) \d+", "$1 ID"),
        (r"\bmap_ids [0-9,]+", "map_ids IDS"),
        (r"\bmap\[id:\d+\]", "map[id:ID]"),
        (r"shown is its number, \d+", "shown is its number, ID"),
        (r"\bloaded_at \S+", "loaded_at TIME"),
        (r"(\(85\) call \w+)#\d{4,}", "$1#ADDRESS"),
        (r"\bof program \d+", "of program ID"),
        (r"\bpid:\d+", "pid:PID"),
        (r"\bprocess \d+", "process PID"),
        (r"(?m)^ *\d+  python3", "PID  python3"),
        (r"\b\d+ ns\b", "N ns"),
        (r"\) = \d+", ") = FD"),
        (r"\b(setsockopt|connect)\(\d+", "$1(FD"),
        (r"SO_ATTACH_BPF, \[\d+\]", "SO_ATTACH_BPF, [FD]"),
        (r"(?m)^( *)\d+: \{packets=\d+ bytes=\d+\}", "$1 PORT: {packets=N bytes=N}"),
        (r"\b(total_packets|total_bytes|smallest_packet) = \d+", "$1 = N"),
        (r"\bran \d+ times", "ran N times"),
        (r"\b\d+ runs", "N runs"),
        (r"(?m)^ *\d+\.\d{3}  ", "TIME  "),
    ];
    rules.iter().fold(text.to_owned(), |text, (rule, replacement)| {
        Regex::new(rule).unwrap().replace_all(&text, *replacement).into_owned()
    })
}

/// The lines that only one side has.
fn diff(said: &str, now: &str) -> String {
    let only = |a: &str, b: &str, sign: &str| {
        let lines: Vec<_> = a.lines().filter(|line| !b.lines().any(|other| other == *line)).collect();
        lines.iter().map(|line| format!("  {sign} {line}\n")).collect::<String>()
    };
    only(said, now, "says") + &only(now, said, "is  ")
}
