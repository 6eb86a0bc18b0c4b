//! A project outside of this repository, as docs/library.md tells to write it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// The first block of this language on the page.
fn block(page: &str, language: &str) -> String {
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("\n```").unwrap().0.to_owned() + "\n"
}

/// The folder that the examples and tests of this build are in, for dependencies that are there already.
fn target() -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    deps.ancestors().nth(2).unwrap().to_owned()
}

#[test]
#[ignore = "needs CAP_BPF"]
fn the_project_of_the_page_is_built_offline_and_filters_its_own_socket() {
    let page = fs::read_to_string(root().join("docs/library.md")).unwrap();
    let main = block(&page, "rust");
    assert!(main.lines().count() < 30, "{} lines", main.lines().count());
    let manifest = block(&page, "toml");
    assert!(manifest.contains("default-features = false"), "{manifest}");

    let project = tempfile::tempdir().unwrap();
    let at = |name: &str| project.path().join(name);
    fs::create_dir(at("src")).unwrap();
    fs::write(at("Cargo.toml"), manifest.replace("../minibpf/loader", root().join("loader").to_str().unwrap()))
        .unwrap();
    fs::write(at("src/main.rs"), main).unwrap();
    fs::copy(root().join("bpf-src/drop.bpf.o"), at("src/drop.bpf.o")).unwrap();
    // The versions of this repository, which are there already.
    fs::copy(root().join("Cargo.lock"), at("Cargo.lock")).unwrap();

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let ran = Command::new(cargo)
        .args(["run", "--quiet", "--offline"])
        .current_dir(project.path())
        .env("CARGO_TARGET_DIR", target().join("outside"))
        .env_remove("CARGO_MANIFEST_DIR")
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}\n{err}", ran.status);
    assert_eq!(String::from_utf8_lossy(&ran.stdout), block(&page, "text"), "{err}");
}
