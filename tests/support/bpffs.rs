//! A bpffs of a test's own.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::process::output_of;

/// Mounted in an empty directory; unmounted when it is dropped, so also where the test fails.
pub(crate) struct Bpffs {
    dir: TempDir,
}

impl Bpffs {
    #[track_caller]
    pub(crate) fn mount() -> Self {
        // libbpf writes `_` for every dot of a path, those above the mount included.
        let dir = tempfile::Builder::new().prefix("bpffs-").tempdir().unwrap();
        output_of(Command::new("mount").args(["-t", "bpf", "bpf"]).arg(dir.path()));
        Self { dir }
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Every pin and directory, by path, without the two files that the kernel puts into each bpffs.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut dirs = vec![self.dir.path().to_owned()];
        while let Some(dir) = dirs.pop() {
            let entries: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
            dirs.extend(entries.iter().filter(|entry| entry.is_dir()).cloned());
            found.extend(entries);
        }
        let name = |path: &PathBuf| path.strip_prefix(self.dir.path()).unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<_> = found.iter().map(name).filter(|name| !name.ends_with(".debug")).collect();
        names.sort();
        names
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        // Lazily: a process that is about to end may still hold something open there.
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}
