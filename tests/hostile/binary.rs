//! A few hundred mutants through the program itself: how it ends, what it says, how much it takes.

use std::process::{Command, Output};

use crate::mutations::{self, Mutant, is_placed};

const MUTANTS: usize = 150;
/// Bytes of memory of its own, the debug build's own needs included, and seconds of processor time, at which the kernel ends it.
const ALONE: [u64; 2] = [64 << 20, 5];
/// The same with the verifier's log, which is as long as the kernel makes it, and the verifier's time.
const WITH_VERIFIER: [u64; 2] = [1 << 30, 120];

fn run(command: &str, bytes: &[u8], args: &[&str]) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let [memory, seconds] = if command == "check" { WITH_VERIFIER } else { ALONE };
    let mut prlimit = Command::new("prlimit");
    prlimit.arg(format!("--data={memory}")).arg(format!("--cpu={seconds}")).arg(env!("CARGO_BIN_EXE_minibpf"));
    prlimit.arg(command).arg(file.path()).args(args).output().unwrap()
}

/// How it may end, and that whoever is refused is told where.
fn claim(name: &str, command: &str, output: &Output, exits: &[i32]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(
        code.is_some_and(|code| exits.contains(&code)),
        "{name}: {command} ended with {:?}: {stderr}",
        output.status
    );
    assert!(!stderr.contains("panicked"), "{name}: {command}: {stderr}");
    if code == Some(3) {
        let said = stderr.lines().find(|line| line.starts_with("error")).unwrap_or_default();
        // Of several programs each has a line of its own that says where.
        let stdout = String::from_utf8_lossy(&output.stdout);
        let mut each = stdout.lines().filter(|line| line.contains(": unlinkable: ")).peekable();
        let each_is_placed = each.peek().is_some() && each.all(is_placed);
        let placed = is_placed(said) || said.contains("cannot link programs `") || each_is_placed;
        assert!(placed, "{name}: {command} says no place: {stderr}{stdout}");
    }
}

#[test]
fn explain_explains_or_refuses_every_mutant() {
    for Mutant { name, bytes } in mutations::all(MUTANTS, 0x6269_6e61_7279_2121) {
        claim(&name, "explain", &run("explain", &bytes, &["--btf", "none"]), &[0, 3]);
    }
}

#[test]
fn report_writes_no_page_of_a_mutant_without_saying_what_is_wrong() {
    for Mutant { name, bytes } in mutations::all(MUTANTS / 5, 0x7265_706f_7274_2121) {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.html");
        let output = run("report", &bytes, &["--btf", "none", "-o", page.to_str().unwrap()]);
        claim(&name, "report", &output, &[0, 3]);
    }
}

#[test]
#[ignore = "needs CAP_BPF"]
fn check_loads_or_refuses_every_mutant() {
    for Mutant { name, bytes } in mutations::all(MUTANTS, 0x6368_6563_6b65_6421) {
        claim(&name, "check", &run("check", &bytes, &[]), &[0, 3, 5]);
    }
}
