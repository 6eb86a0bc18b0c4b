//! Object files: the committed ones, and those that a test compiles.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::output_of;

/// The names of the committed objects.
pub(crate) const COMMITTED: [&str; 4] = ["pass", "count", "drop", "http"];

/// Where the C sources, their headers and the committed objects lie.
pub(crate) fn bpf_src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bpf-src")
}

/// The path of a committed object.
pub(crate) fn object(name: &str) -> String {
    bpf_src().join(format!("{name}.bpf.o")).to_str().unwrap().to_owned()
}

/// The path of a program of `bpf-src/programs`.
pub(crate) fn program(name: &str) -> String {
    object(&format!("programs/{name}"))
}

/// An object file of a test's own; gone when it is dropped.
pub(crate) struct Made {
    dir: TempDir,
}

impl Made {
    /// An object of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("test.o"), bytes).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self) -> String {
        self.dir.path().join("test.o").to_str().unwrap().to_owned()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }
}

/// The compiler: the one that made the committed objects, else any clang.
fn clang() -> Command {
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    let name = ["clang-14", "clang"].into_iter().find(is_there).expect("clang is needed: apt-get install clang-14");
    Command::new(name)
}

/// Makes an object, or takes it as it was made before: `MINIBPF_OBJECTS` names a folder for what was compiled. An emulated machine has
/// no time for a compiler.
fn kept(how: &str, source: &[u8], object: &str, make: impl FnOnce()) {
    let Some(dir) = std::env::var_os("MINIBPF_OBJECTS") else { return make() };
    let mut hasher = DefaultHasher::new();
    (how, source).hash(&mut hasher);
    for header in ["skb.h", "bpf.h"] {
        std::fs::read(bpf_src().join(header)).unwrap().hash(&mut hasher);
    }
    let kept = Path::new(&dir).join(format!("{:016x}.o", hasher.finish()));
    if std::fs::copy(&kept, object).is_ok() {
        return;
    }
    make();
    // By way of a name of its own: tests beside this one make the same.
    let part = kept.with_extension(format!("{}-{:?}", std::process::id(), std::thread::current().id()));
    let _ = std::fs::copy(object, &part).and_then(|_| std::fs::rename(&part, &kept));
}

/// Compiles C for BPF; `skb.h` is included, and the licence is there.
#[track_caller]
pub(crate) fn compile(source: &str) -> Made {
    compile_for("bpf", source)
}

/// The same for `bpfel` or `bpfeb`.
#[track_caller]
pub(crate) fn compile_for(target: &str, source: &str) -> Made {
    let made = Made { dir: TempDir::new().unwrap() };
    let whole = format!("#include \"skb.h\"\n{source}\nchar _license[] SEC(\"license\") = \"GPL\";\n");
    kept(target, whole.as_bytes(), &made.path(), || {
        let c = made.dir.path().join("test.c");
        std::fs::write(&c, &whole).unwrap();
        output_of(
            clang()
                .args([&format!("--target={target}"), "-mcpu=v3", "-g", "-O2", "-I"])
                .arg(bpf_src())
                .arg("-c")
                .arg(&c)
                .arg("-o")
                .arg(made.path()),
        );
    });
    made
}

/// Compiles a C file for BPF as `scripts/build-bpf` does.
#[track_caller]
pub(crate) fn compile_file(source: &Path) -> Made {
    let made = Made { dir: TempDir::new().unwrap() };
    let args = ["--target=bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-c", "-o"];
    kept("file", &std::fs::read(source).unwrap(), &made.path(), || {
        output_of(clang().args(args).arg(made.path()).arg(source));
    });
    made
}

/// A filter that keeps this many bytes of every packet.
pub(crate) fn keeping(name: &str, bytes: &str) -> Made {
    compile(&format!("SEC(\"socket\") int {name}(struct __sk_buff *skb) {{ return {bytes}; }}"))
}
