//! The committed objects.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Name and bytes of each object in the repository.
pub(crate) fn objects() -> &'static [(String, Vec<u8>)] {
    static OBJECTS: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    OBJECTS.get_or_init(|| {
        let mut found = Vec::new();
        for folder in ["bpf-src", "bpf-src/broken", "bpf-src/programs"] {
            for entry in std::fs::read_dir(root().join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "o") {
                    found.push((path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()));
                }
            }
        }
        found.sort();
        assert!(found.len() > 60, "{} objects", found.len());
        found
    })
}

pub(crate) fn object(name: &str) -> &'static [u8] {
    &objects().iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no object {name}")).1
}
