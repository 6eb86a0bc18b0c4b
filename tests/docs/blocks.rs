//! The console blocks of a page, run in order.

use std::fmt::Write as _;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::normal::normal;
use crate::pages::{self, Page};

/// A line that the shell prints between the commands of a block.
const MARK: &str = "---8<--- next command ---8<---";
/// What the commands of a page see of the repository.
const SEEN: [&str; 9] =
    ["bpf-src", "docs", "loader", "scripts", "tests", "Cargo.toml", "Cargo.lock", "README.md", "LICENSE-MIT"];

/// What came of a page's blocks.
#[derive(Default)]
pub(crate) struct Now {
    /// The page, with the present output where it is another one.
    pub(crate) text: String,
    /// What differs, by line.
    pub(crate) differences: String,
    pub(crate) blocks: usize,
    pub(crate) commands: usize,
}

/// Runs every block of a page. The files that one makes, and the servers it leaves behind, are there for the next.
pub(crate) fn run(page: &Page) -> Now {
    let blocks = page.console_blocks();
    let mut now = Now { blocks: blocks.len(), ..Now::default() };
    let scratch = scratch();
    if !blocks.is_empty() {
        enter_a_place_of_its_own(scratch.path());
    }
    let (mut groups, mut copied) = (Vec::new(), 0);
    for range in blocks {
        let said = &page.text[range.clone()];
        let commands = commands(said);
        now.commands += commands.len();
        let (output, group) = run_block(&page.name, scratch.path(), &commands);
        groups.push(group);
        let mut is = String::new();
        for (command, output) in commands.iter().zip(output) {
            writeln!(is, "$ {}", command.replace('\n', "\n> ")).unwrap();
            is.push_str(&output);
        }
        if normal(said) != normal(&is) {
            let line = page.text[..range.start].lines().count() + 1;
            write!(now.differences, "  the block at line {line}:\n{}", diff(&normal(said), &normal(&is))).unwrap();
            now.text.push_str(&page.text[copied..range.start]);
            now.text.push_str(&is);
            copied = range.end;
        }
    }
    now.text.push_str(&page.text[copied..]);
    // A server ends with the page that started it.
    for group in groups {
        let _ = killpg(group, Signal::SIGKILL);
    }
    now
}

/// A directory that looks like the repository, for what commands write.
pub(crate) fn scratch() -> TempDir {
    let scratch = tempfile::tempdir().unwrap();
    for name in SEEN {
        std::os::unix::fs::symlink(pages::root().join(name), scratch.path().join(name)).unwrap();
    }
    scratch
}

/// Gives this thread, and so what it starts, a network with nothing but a loopback interface, in which every port is free, and mounts
/// that nobody else sees and that go with it.
fn enter_a_place_of_its_own(scratch: &Path) {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
        .expect("a network and mount namespace need CAP_SYS_ADMIN");
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).current_dir(scratch).status().unwrap();
    assert!(up.success(), "ip link set lo up: {up}");
}

/// The commands of a block: a line that begins with `$`, and the lines after it that go on with `>`.
fn commands(block: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in block.lines() {
        let more = line.strip_prefix("> ").or((line == ">").then_some("")).filter(|_| goes_on);
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(command.to_owned());
            goes_on = true;
        } else if let Some(more) = more {
            let command = commands.last_mut().unwrap();
            command.push('\n');
            command.push_str(more);
        } else {
            goes_on = false;
        }
    }
    commands
}

/// Closes what the tests were started with beyond the three standard descriptors: a command's first descriptor is then 3, here as in a
/// reader's shell.
const CLOSE_INHERITED: &str =
    r#"for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || exec {fd}>&-; done; unset fd"#;

/// Runs the commands of a block in one shell; returns the output of each, and the shell's process group.
fn run_block(page: &str, scratch: &Path, commands: &[String]) -> (Vec<String>, Pid) {
    let script: Vec<_> = commands.iter().map(|command| format!("{command}\necho '{MARK}'")).collect();
    let bin = Path::new(env!("CARGO_BIN_EXE_minibpf")).parent().unwrap();
    let path = format!("{}:{}:/usr/sbin:/sbin", bin.display(), std::env::var("PATH").unwrap());
    let script = format!("{CLOSE_INHERITED}\nexec 2>&1\n{}", script.join("\n"));
    // Not a pipe, which would stay open as long as any server that was started in the block.
    let mut output = tempfile::tempfile().unwrap();
    let shell = Command::new("timeout")
        // A block that waits for ever fails here, and not the whole run.
        .args(["--kill-after=5", "60", "bash", "-c", &script])
        .current_dir(scratch)
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .process_group(0)
        .spawn();
    let mut shell = shell.unwrap();
    let group = Pid::from_raw(shell.id() as i32);
    let status = shell.wait().unwrap();
    let mut bytes = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let mut parts: Vec<String> = text.split(&format!("{MARK}\n")).map(str::to_owned).collect();
    let ended = parts.pop().as_deref() == Some("") && parts.len() == commands.len();
    assert!(ended, "{page}: the shell ended early ({status}): {commands:?}: {text}");
    (parts, group)
}

/// The lines that differ, in the order of the page.
fn diff(said: &str, is: &str) -> String {
    let mut lines = String::new();
    for change in similar::TextDiff::from_lines(said, is).iter_all_changes() {
        let sign = match change.tag() {
            similar::ChangeTag::Equal => continue,
            similar::ChangeTag::Delete => "says",
            similar::ChangeTag::Insert => "is  ",
        };
        writeln!(lines, "    {sign} {}", change.value().trim_end()).unwrap();
    }
    lines
}
