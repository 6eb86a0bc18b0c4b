//! The same programs, by three compilers for four versions of the instruction set: minibpf and libbpf must agree on the verdict,
//! the tag and the bytes of every one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::bpftool::by_libbpf;
use crate::support::objects::bpf_src;
use crate::support::process::{output_of, run};
use crate::support::{number, text};

const COMPILERS: [&str; 3] = ["clang-14", "clang-16", "clang-19"];
const VERSIONS: [&str; 4] = ["v1", "v2", "v3", "v4"];

/// Only clang 18 and later know version 4.
fn knows(compiler: &str, version: &str) -> bool {
    version != "v4" || compiler == "clang-19"
}

/// The committed filters, and the larger programs beside this file.
fn sources() -> Vec<PathBuf> {
    let matrix = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/matrix");
    let folders = [bpf_src(), matrix];
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut sources: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "c")).collect();
    sources.sort();
    sources
}

/// Loads an object with both; returns what differs, and how many programs were compared.
fn difference(object: &str) -> (Option<String>, usize) {
    let ran = run(["check", object, "--json"]);
    let lines = ran.kind("program");
    let all_loaded = lines.iter().all(|line| line["verdict"] == "loaded");
    let mut ours: Vec<_> = lines
        .iter()
        .filter(|_| all_loaded)
        .map(|line| (text(line, "name").to_owned(), text(line, "tag").to_owned(), number(line, "bytes_xlated")))
        .collect();
    ours.sort();
    let computed = lines.iter().all(|line| line["verdict"] != "loaded" || line["tag_computed"] == true);
    let differs = match by_libbpf(object) {
        Ok(theirs) if all_loaded && ours == theirs && computed => None,
        Err(_) if !all_loaded => None,
        other => {
            Some(format!("{object}: minibpf {ours:?} (all loaded: {all_loaded}), libbpf {other:?}; {}", ran.stderr))
        }
    };
    (differs, lines.len())
}

#[test]
#[ignore = "needs CAP_BPF, clang 14, 16 and 19"]
fn minibpf_and_libbpf_agree_on_every_program_of_the_matrix() {
    let dir = tempfile::tempdir().unwrap();
    let (mut differences, mut programs) = (Vec::new(), 0);
    for source in sources() {
        for (compiler, version) in COMPILERS.iter().flat_map(|c| VERSIONS.iter().map(move |v| (*c, *v))) {
            if !knows(compiler, version) {
                continue;
            }
            let name = source.file_stem().unwrap().to_str().unwrap();
            let object = dir.path().join(format!("{name}-{compiler}-{version}.o"));
            let options = ["--target=bpf", "-O2", "-g", &format!("-mcpu={version}"), "-I"];
            output_of(
                Command::new(compiler).args(options).arg(bpf_src()).arg("-c").arg(&source).arg("-o").arg(&object),
            );
            let (difference, compared) = difference(object.to_str().unwrap());
            differences.extend(difference);
            programs += compared;
        }
    }
    assert!(programs > 100, "only {programs} programs compared");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
