//! The same programs, by three compilers for four versions of the instruction set, with types and without: minibpf and libbpf must
//! agree on the verdict, and of what is loaded on the tag, on every slot as the verifier rewrote it, on the maps, and on
//! what it returns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::bpffs::Bpffs;
use crate::support::loaded::{Loaded, by_libbpf, pinned_in};
use crate::support::objects::bpf_src;
use crate::support::process::{output_of, run};

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

/// CO-RE cannot be compiled without types.
fn needs_types(source: &Path) -> bool {
    fs::read_to_string(source).unwrap().contains("__builtin_preserve")
}

fn compile(compiler: &str, options: &[&str], source: &Path, object: &Path) {
    let mut clang = Command::new(compiler);
    clang.args(["--target=bpf", "-O2", "-I"]).arg(bpf_src()).args(options).arg("-c").arg(source).arg("-o").arg(object);
    output_of(&mut clang);
}

/// What minibpf makes of an object: its programs, if it loads them all; else why not.
fn by_minibpf(object: &str) -> Result<Vec<Loaded>, String> {
    let fs = Bpffs::mount();
    let ran = run(["check", object, "--json", "--pin", &fs.path("x")]);
    if ran.code != Some(0) {
        return Err(ran.stderr);
    }
    assert!(ran.kind("program").iter().all(|line| line["tag_computed"] == true), "{object}: {}", ran.text());
    Ok(pinned_in(&fs, "x"))
}

/// libbpf 1.1 lets user space map every data section; later ones, as minibpf, only what holds a variable that is not static.
/// (`BPF_F_MMAPABLE` is 1024, `BPF_F_RDONLY_PROG` 128.)
fn without_mmapable(loaded: Vec<Loaded>) -> Vec<Loaded> {
    let without = |loaded: Loaded| {
        let xlated = loaded.xlated.replace(", 1152]", ", 128]").replace(", 1024]", ", 0]");
        Loaded { xlated, ..loaded }
    };
    loaded.into_iter().map(without).collect()
}

/// The first line that differs.
fn first_difference(ours: &[Loaded], theirs: &[Loaded]) -> String {
    let lines = |loaded: &[Loaded]| {
        let programs = loaded.iter().map(|p| format!("{} tag {} returns {}\n{}", p.name, p.tag, p.returns, p.xlated));
        programs.collect::<Vec<_>>().join("\n").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (ours, theirs) = (lines(ours), lines(theirs));
    let differs = ours.iter().zip(&theirs).find(|(one, two)| one != two);
    differs.map_or_else(
        || format!("{} or {} lines", ours.len(), theirs.len()),
        |(one, two)| format!("minibpf {one}, libbpf {two}"),
    )
}

/// What differs between the two, and how many programs were compared.
fn difference(object: &str) -> (Option<String>, usize) {
    match (by_minibpf(object).map(without_mmapable), by_libbpf(object).map(without_mmapable)) {
        (Ok(ours), Ok(theirs)) if ours == theirs => (None, ours.len()),
        (Err(_), Err(_)) => (None, 0),
        (Ok(ours), Ok(theirs)) => (Some(format!("{object}: {}", first_difference(&ours, &theirs))), 0),
        (ours, theirs) => (Some(format!("{object}: minibpf {ours:?}, libbpf {theirs:?}")), 0),
    }
}

#[test]
#[ignore = "needs CAP_BPF, clang 14, 16 and 19"]
fn minibpf_and_libbpf_agree_on_every_program_of_the_matrix() {
    let dir = tempfile::tempdir().unwrap();
    let (mut differences, mut programs) = (Vec::new(), 0);
    let versions = COMPILERS.iter().flat_map(|c| VERSIONS.iter().map(move |v| (*c, *v))).filter(|(c, v)| knows(c, v));
    let builds: Vec<_> = versions.flat_map(|(c, v)| ["-g", "-g0"].map(|types| (c, v, types))).collect();
    for source in sources() {
        for (compiler, version, types) in &builds {
            if *types == "-g0" && needs_types(&source) {
                continue;
            }
            let name = source.file_stem().unwrap().to_str().unwrap();
            let object = dir.path().join(format!("{name}-{compiler}-{version}{types}.o"));
            compile(compiler, &[types, &format!("-mcpu={version}")], &source, &object);
            let (difference, compared) = difference(object.to_str().unwrap());
            differences.extend(difference);
            programs += compared;
        }
    }
    assert!(programs > 300, "only {programs} programs compared");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
#[ignore = "needs CAP_BPF and clang 16"]
fn a_section_for_each_function_and_variable_and_packed_debug_information_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for source in sources() {
        let returns = |name: &str, options: &[&str]| {
            let object = dir.path().join(name);
            compile("clang-16", options, &source, &object);
            let loaded = by_minibpf(object.to_str().unwrap()).unwrap();
            loaded.into_iter().map(|program| (program.name, program.returns)).collect::<Vec<_>>()
        };
        let whole = returns("whole.o", &["-g"]);
        let split = returns("split.o", &["-g", "-gz", "-ffunction-sections", "-fdata-sections"]);
        assert_eq!(split, whole, "{}", source.display());
    }
}
