//! Files without an end, and files as large as an object may be: what the program holds of them is bounded by the kernel itself, with `RLIMIT_DATA`.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::elf::{File, PROGBITS, Section};

const MIB: u64 = 1 << 20;

/// minibpf, which may hold so many bytes of memory of its own.
fn limited(memory: u64) -> Command {
    let mut command = Command::new("prlimit");
    command.arg(format!("--data={memory}")).arg(env!("CARGO_BIN_EXE_minibpf"));
    command
}

#[track_caller]
fn refused(output: &Output, exit: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{stderr}");
    stderr
}

#[test]
fn a_file_without_an_end_is_not_read_to_it() {
    for command in ["explain", "check"] {
        let output = limited(64 * MIB).args([command, "/dev/zero"]).output().unwrap();
        let stderr = refused(&output, 3);
        assert!(stderr.contains("not an ELF file: it starts with 00 00 00 00"), "{stderr}");
    }
    let object = concat!(env!("CARGO_MANIFEST_DIR"), "/../bpf-src/broken/core-missing.bpf.o");
    let output = limited(64 * MIB).args(["explain", object, "--btf", "/dev/zero"]).output().unwrap();
    let stderr = refused(&output, 3);
    assert!(stderr.contains("the target's BTF: header: magic 0x0000") || stderr.contains("magic 0x0000"), "{stderr}");
    let output = limited(64 * MIB).args(["run", object, "--pcap", "/dev/zero"]).output().unwrap();
    assert_ne!(output.status.code(), None, "killed: {}", String::from_utf8_lossy(&output.stderr));
    let report = tempfile::tempdir().unwrap();
    let page = report.path().join("page.html");
    let output = limited(128 * MIB)
        .args(["report", object, "--btf", "none", "--from", "/dev/zero", "-o"])
        .arg(&page)
        .output()
        .unwrap();
    let stderr = refused(&output, 1);
    assert!(stderr.contains("more than 16 MiB") && !page.exists(), "{stderr}");
}

#[test]
fn a_pipe_without_an_end_is_not_read_to_it() {
    let mut child = limited(64 * MIB)
        .args(["explain", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It is gone before it has taken all of this.
    let _ = child.stdin.take().unwrap().write_all(&vec![b'x'; 256 << 20]);
    let stderr = refused(&child.wait_with_output().unwrap(), 3);
    assert!(stderr.contains("not an ELF file"), "{stderr}");
}

/// A filter, and a section that makes the file so large; a hole on the disk.
fn large(size: u64) -> tempfile::NamedTempFile {
    let mut object = File::with_filter();
    let name = object.name(".debug_info");
    let small = object.build().len() as u64 + 64;
    object.add(Section { name, kind: PROGBITS, place: Some((small, size - small)), ..Section::default() });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&object.build()).unwrap();
    file.as_file().set_len(size).unwrap();
    file
}

#[test]
fn an_object_of_half_a_gibibyte_is_held_once() {
    let file = large(512 * MIB);
    // The program itself, its stack of words and what it says take a tenth of what is left.
    for command in [&["explain"][..], &["check", "--dry-run"]] {
        let output = limited(560 * MIB).args(command).arg(file.path()).output().unwrap();
        let stderr = refused(&output, 0);
        assert!(!output.stdout.is_empty() || !stderr.is_empty());
    }
}

#[test]
fn a_larger_one_is_refused() {
    let file = large(512 * MIB + 1);
    let output = limited(560 * MIB).arg("explain").arg(file.path()).output().unwrap();
    let stderr = refused(&output, 3);
    assert!(stderr.contains("more than 512 MiB, which no object has"), "{stderr}");
}
