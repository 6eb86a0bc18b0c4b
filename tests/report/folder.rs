//! Where a page is written in a test, and what stands in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::objects::object;
use crate::support::process::{Ran, run};
use crate::support::{Json, text};

/// A folder for one page.
pub(crate) struct Folder(pub(crate) tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs `report` on an object, for no kernel in particular.
    pub(crate) fn report(&self, object: &str, more: &[&str]) -> Ran {
        let page = self.path("page.html");
        let btf: &[&str] = if more.contains(&"--btf") { &[] } else { &["--btf", "none"] };
        let args = ["report", object, "-o"].map(OsStr::new);
        run(args.into_iter().chain([page.as_os_str()]).chain(btf.iter().chain(more).map(OsStr::new)))
    }

    /// The folder's object, made of the folder's source, which the records name by where it lay then.
    pub(crate) fn object_beside_its_source(&self) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        fs::copy(root.join("bpf-src/count.bpf.c"), self.path("count.bpf.c")).unwrap();
        fs::copy(object("count"), self.path("count.bpf.o")).unwrap();
        self.path("count.bpf.o").to_str().unwrap().to_owned()
    }

    /// The texts of the sources in the page.
    pub(crate) fn sources(&self) -> Vec<String> {
        let data = self.data();
        data["sources"].as_array().unwrap().iter().map(|file| text(file, "text").to_owned()).collect()
    }

    pub(crate) fn page(&self) -> String {
        fs::read_to_string(self.path("page.html")).unwrap()
    }

    /// What the page knows.
    pub(crate) fn data(&self) -> Json {
        let page = self.page();
        let (_, rest) = page.split_once("id=\"data\">").unwrap();
        serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
    }
}
