//! Completions, asked for as a user does: by the tabulator key in a shell.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::fails;
use crate::support::process::{Running, output_of, path, run};
use crate::support::text;

/// A directory with the script of a shell, under this name.
fn script(shell: &str, name: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(name), run(["completions", shell]).expect(0).stdout).unwrap();
    dir
}

/// A shell at a terminal of its own, in which `minibpf` is the binary under test.
fn shell(dir: &Path, command: &str) -> Running {
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", command, "/dev/null"]).current_dir(dir);
    Running::command(
        script.env("PATH", path()).env("SHELL", "/bin/sh").env("TERM", "dumb").env("HOME", dir).env("PS1", "ready> "),
    )
}

/// Types a line up to a tabulator key, and waits for what the shell makes of it.
#[track_caller]
fn types(shell: &mut Running, line: &str, becomes: &str) {
    shell.send(format!("{line}\t").as_bytes());
    shell.says(becomes);
    // Control-U: the line is not run.
    shell.send(b"\x15");
}

#[test]
fn bash_completes_commands_options_values_and_files() {
    let dir = script("bash", "minibpf.bash");
    output_of(Command::new("bash").arg("-n").arg(dir.path().join("minibpf.bash")));
    std::fs::write(dir.path().join("filter.bpf.o"), "").unwrap();
    let mut bash = shell(dir.path(), "bash --norc --noprofile -i");
    bash.send(b"bind 'set enable-bracketed-paste off'; source minibpf.bash; echo so''urced\n");
    bash.says("sourced");
    types(&mut bash, "minibpf lo", "minibpf load ");
    types(&mut bash, "minibpf check fil", "minibpf check filter.bpf.o ");
    types(&mut bash, "minibpf load filter.bpf.o --conn", "--connect ");
    types(&mut bash, "minibpf explain --until re", "--until reloc ");
    types(&mut bash, "minibpf demo --color ne", "--color never ");
    types(&mut bash, "minibpf completions fi", "completions fish ");
    bash.send(b"exit\n");
    bash.end().expect(0);
}

#[test]
fn zsh_completes_commands_options_and_values() {
    let dir = script("zsh", "_minibpf");
    output_of(Command::new("zsh").arg("-n").arg(dir.path().join("_minibpf")));
    let mut zsh = shell(dir.path(), "zsh -f -i");
    zsh.send(b"fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; echo re''ady2\n");
    zsh.says("ready2");
    types(&mut zsh, "minibpf lo", "minibpf load ");
    types(&mut zsh, "minibpf load x --conn", "--connect=");
    types(&mut zsh, "minibpf explain --until re", "--until reloc ");
    zsh.send(b"exit\n");
    zsh.end().expect(0);
}

#[test]
fn fish_completes_commands_options_and_values() {
    let dir = script("fish", "minibpf.fish");
    let file = dir.path().join("minibpf.fish");
    output_of(Command::new("fish").arg("--no-execute").arg(&file));
    for (line, becomes) in [
        ("minibpf lo", "load"),
        ("minibpf load x --conn", "--connect"),
        ("minibpf explain --until re", "reloc"),
        ("minibpf demo --color ne", "never"),
    ] {
        let ask = format!("source {}; complete -C '{line}'", file.display());
        let found = output_of(Command::new("fish").args(["--no-config", "-c", &ask]).env("HOME", dir.path()));
        assert!(found.lines().any(|found| found.split('\t').next() == Some(becomes)), "{line}: {found}");
    }
}

#[test]
fn completions_are_data_with_json_and_for_three_shells() {
    let line = run(["completions", "bash", "--json"]).expect(0).only("completions");
    assert_eq!(text(&line, "script").trim_end(), run(["completions", "bash"]).expect(0).text().trim_end());
    assert_eq!(line["shell"], "bash");
    fails(2, &["completions", "tcsh"], &["tcsh"]);
    fails(2, &["completions"], &["<SHELL>"]);
}
