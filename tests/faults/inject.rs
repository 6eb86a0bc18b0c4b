//! strace, which runs a command and makes one of its calls fail.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::scenarios::Scenario;
use crate::support::process::MINIBPF;

/// Longer than any command takes; one that takes longer hangs.
const LONG: Duration = Duration::from_secs(25);

/// What happens to a call, in strace's words: `error=ENOMEM`, `signal=SIGKILL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) call: String,
    /// Which one of these calls, from 1.
    pub(crate) nth: u32,
    /// Whether all later ones as well.
    pub(crate) on: bool,
    pub(crate) what: String,
}

impl Fault {
    /// In strace's words.
    pub(crate) fn rule(&self) -> String {
        let Self { call, nth, on, what } = self;
        format!("{call}:{what}:when={nth}{}", if *on { "+" } else { "" })
    }

    pub(crate) fn signal(&self) -> Option<&str> {
        self.what.strip_prefix("signal=")
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// As a shell has it: 128 and the signal's number.
    pub(crate) code: i32,
    pub(crate) is_late: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// strace's record.
    pub(crate) log: String,
}

impl Ended {
    /// The call that was made to fail, in strace's words; `None` if the command made no such call this time.
    pub(crate) fn hit(&self, fault: &Fault) -> Option<&str> {
        let lines = || self.log.lines().map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest.trim_start()));
        let Some(signal) = fault.signal() else {
            let mut all = lines().filter(|line| line.contains("(INJECTED)"));
            let (first, second) = (all.next()?, all.next());
            // strace counts each thread's calls: in two at once it was two faults.
            return Some(first).filter(|_| second.is_none() || fault.on);
        };
        let came = lines().position(|line| line.starts_with(&format!("--- {signal}")));
        // SIGKILL leaves no line of its own.
        let at = if signal == "SIGKILL" && self.code == 137 { Some(lines().count()) } else { came };
        lines().take(at?).filter(|line| line.starts_with(&fault.call)).last()
    }
}

/// Runs a command of `args` under strace.
pub(crate) fn run(scenario: &Scenario, fault: Option<&Fault>) -> Ended {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("in"), scenario.input).unwrap();
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-qq", "-o"]).arg(path("log"));
    if let Some(fault) = fault {
        let rule = fault.rule();
        command.arg(format!("--trace={}", fault.call)).args(["-e", &format!("inject={rule}")]);
        // Faster; but strace 6.1 then sends signals at a process's first call alone.
        if fault.signal().is_none() {
            command.arg("--seccomp-bpf");
        }
    }
    command.arg(MINIBPF).args(&scenario.args).env_remove("RUST_BACKTRACE");
    command.stdin(fs::File::open(path("in")).unwrap());
    command.stdout(fs::File::create(path("out")).unwrap()).stderr(fs::File::create(path("err")).unwrap());
    let mut child = command.spawn().expect("strace is needed");
    let deadline = Instant::now() + LONG;
    let mut is_late = false;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline && !is_late {
            is_late = true;
            kill(&fs::read_to_string(path("log")).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = |name: &str| String::from_utf8_lossy(&fs::read(path(name)).unwrap()).into_owned();
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ended { code, is_late, stdout: text("out"), stderr: text("err"), log: text("log") }
}

/// Ends the process whose record this is: strace would only let go of it.
fn kill(log: &str) {
    if let Some(pid) = log.split(' ').next().filter(|pid| pid.parse::<u32>().is_ok()) {
        let _ = Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status();
    }
}

/// The calls that a command makes from `main()` on: name, which one of this name it is, and how strace has it. What the loader of
/// shared libraries and Rust's runtime do before is not this project's: the runtime's last word is about SIGBUS.
fn made(ended: &Ended) -> Vec<(&str, u32, &str)> {
    let lines = ended.log.lines().filter_map(|line| line.split_once(' ')).map(|(pid, line)| (pid, line.trim_start()));
    let lines: Vec<_> = lines.collect();
    let main = lines.iter().position(|(_, line)| line.starts_with("rt_sigaction(SIGBUS, {")).map_or(0, |at| at + 1);
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut before: BTreeMap<&str, u32> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, (pid, line)) in lines.iter().enumerate() {
        let Some((name, _)) = line.split_once('(').filter(|(name, _)| is_name(name)) else { continue };
        let count = counts.entry((name, *pid)).or_default();
        *count += 1;
        if at < main {
            before.insert(name, *count);
        } else if *count > before.get(name).copied().unwrap_or(0) {
            found.push((name, *count, *line));
        }
    }
    found
}

/// Which one of the calls of this name is the first that has these words.
pub(crate) fn nth(ended: &Ended, call: &str, words: &str) -> Option<u32> {
    made(ended).into_iter().find(|(name, _, line)| *name == call && line.contains(words)).map(|(_, nth, _)| nth)
}

/// The calls that are made to fail. Of those that are alike (a file read to its end, a table printed line by line) the first and the
/// last stand for all.
pub(crate) fn calls(ended: &Ended) -> Vec<(String, u32)> {
    /// So many of them from either end.
    const ENDS: usize = 2;
    let mut alike: BTreeMap<String, Vec<(String, u32)>> = BTreeMap::new();
    for (name, nth, line) in made(ended) {
        // Rust's library ends a program whose directory it cannot close, which no file system has ever refused.
        let is_directory = name == "close" && line.contains("/fd>");
        if !is_directory {
            alike.entry(kind(name, line)).or_default().push((name.to_owned(), nth));
        }
    }
    let ends = |all: &Vec<(String, u32)>| {
        let last = all.len().saturating_sub(ENDS).max(ENDS.min(all.len()));
        all.iter().take(ENDS).chain(&all[last..]).cloned().collect::<Vec<_>>()
    };
    let mut found: Vec<_> = alike.values().flat_map(ends).collect();
    found.sort();
    found.dedup();
    found
}

/// What makes a call one of its kind: its name, and what it is about.
fn kind(name: &str, line: &str) -> String {
    let arguments = match name {
        "setsockopt" | "getsockopt" => 3,
        "ioctl" | "fcntl" | "openat" => 2,
        _ => 1,
    };
    line.split(',').take(arguments).collect::<Vec<_>>().join(",")
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
