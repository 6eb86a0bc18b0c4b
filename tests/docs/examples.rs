//! The examples of `--help`, each run as it stands.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::blocks::scratch;
use crate::options::{commands, help};

/// What an example finds: a server, a program that is loaded and pinned, a `minibpf load` that runs, traffic, and a capture.
const THERE: &str = r#"
mount -t bpf bpf /sys/fs/bpf
python3 -c 'import struct
frame = bytes.fromhex("ffffffffffff0200000000010800") + bytes([0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253]) + bytes(10)
open("capture.pcap", "wb").write(struct.pack("<IHHIIIIIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1, 0, 0, len(frame), len(frame)) + frame)'
python3 -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 & server=$!
[ "$COMMAND" = check ] || minibpf check bpf-src/count.bpf.o --pin /sys/fs/bpf/count >/dev/null 2>&1
minibpf load bpf-src/count.bpf.o --listen udp:127.0.0.1:5300 >load.log 2>&1 </dev/null & load=$!
for _ in {1..1200}; do ss -tln | grep -q :8000 && grep -q attached load.log && break; sleep 0.05; done
grep -q attached load.log || { cat load.log; kill $server $load; exit 1; }
[ "$COMMAND" != detach ] || minibpf attach /sys/fs/bpf/count/count --attach pid:$server:3 >/dev/null 2>&1
program=$(bpftool prog show pinned /sys/fs/bpf/count/count 2>/dev/null | sed -n '1s/:.*//p')
map=$(bpftool map show pinned /sys/fs/bpf/count/maps/ports 2>/dev/null | sed -n '1s/:.*//p')
case $LINE in *dump*|*set*) pid=$load;; *) pid=$server;; esac
LINE=${LINE//PID/$pid}; LINE=${LINE//prog:N/prog:$program}; LINE=${LINE// id:N/ id:$program}; LINE=${LINE//map:N/map:$map}
while :; do echo >/dev/udp/127.0.0.1/5300; sleep 0.05; done & traffic=$!
start=$SECONDS
timeout --preserve-status --kill-after=20 --signal=INT "$LIMIT" bash -c "$LINE" </dev/null 2>&1
status=$?
echo "status $status after $((SECONDS - start)) s: $LINE"
kill $traffic $load $server
"#;

/// A line of an example, and what is said of it.
fn examples(help: &str) -> Vec<(String, String)> {
    let (_, list) = help.split_once("Examples:\n").unwrap();
    let mut examples: Vec<(String, String)> = Vec::new();
    for line in list.lines().take_while(|line| !line.is_empty()) {
        match line.strip_prefix("      ") {
            Some(says) => examples.last_mut().unwrap().1 = says.to_owned(),
            None => {
                let (line, says) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
                examples.push((line.to_owned(), says.trim().to_owned()));
            }
        }
    }
    examples
}

/// Runs one; says what was wrong.
fn run(scratch: &Path, command: &str, line: &str, is_to_stay: bool) -> Option<String> {
    let bin = Path::new(env!("CARGO_BIN_EXE_minibpf")).parent().unwrap();
    let path = format!("{}:{}:/usr/sbin:/sbin", bin.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("unshare");
    bash.args(["--mount", "--net", "bash", "-c", &format!("ip link set lo up; {THERE}")]).current_dir(scratch);
    bash.env("PATH", path).env("COMMAND", command).env("LINE", line).env("HOME", scratch);
    let limit = if is_to_stay { "3" } else { "60" };
    let output = bash.env("LIMIT", limit).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let end =
        said.lines().rev().find_map(|line| line.strip_prefix("status 0 after ")).map(|rest| rest.split(' ').next());
    let stayed = end.flatten().map(|seconds| seconds.parse::<u32>().unwrap() >= 2);
    let is_well = if is_to_stay { stayed == Some(true) } else { stayed.is_some() };
    (!is_well).then(|| format!("{line}: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

/// Runs those of a command, in order; says how many there were, and what was wrong.
fn run_all(command: &str) -> (usize, String) {
    let scratch = scratch();
    let args: Vec<&str> = [command].into_iter().filter(|name| !name.is_empty()).collect();
    let examples = examples(&help(&args));
    let mut wrong = String::new();
    for (line, says) in &examples {
        if let Some(what) = run(scratch.path(), command, line, says.contains("until Ctrl-C")) {
            writeln!(wrong, "{what}").unwrap();
        }
    }
    (examples.len(), wrong)
}

#[test]
#[ignore = "needs CAP_BPF"]
fn every_example_of_help_works_as_it_stands() {
    let commands: Vec<String> = std::iter::once(String::new()).chain(commands()).collect();
    let done: Vec<(usize, String)> = thread::scope(|scope| {
        let running: Vec<_> = commands.iter().map(|command| scope.spawn(|| run_all(command))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(done.iter().all(|(count, _)| *count > 1) && done.iter().map(|(count, _)| count).sum::<usize>() > 50);
    let wrong: String = done.into_iter().map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn help_opens_with_a_sentence_and_examples_that_fit_a_terminal() {
    for command in std::iter::once(String::new()).chain(commands()) {
        let args: Vec<&str> = [command.as_str()].into_iter().filter(|name| !name.is_empty()).collect();
        let bin = env!("CARGO_BIN_EXE_minibpf");
        for flag in ["-h", "--help"] {
            let output = Command::new(bin).args(&args).arg(flag).env("COLUMNS", "80").output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let (first, rest) = text.split_once("\n\n").unwrap();
            assert!(first.lines().count() <= 2, "minibpf {command} {flag}: {first}");
            assert!(rest.starts_with("Examples:\n"), "minibpf {command} {flag}: {rest}");
            for (line, _) in examples(&text) {
                let is_whole = ["minibpf ", "source ", "scripts/"].iter().any(|start| line.starts_with(start));
                assert!(is_whole && line.len() <= 78, "minibpf {command} {flag}: {line}");
            }
        }
    }
}
