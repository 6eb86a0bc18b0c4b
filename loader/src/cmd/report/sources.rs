//! Whole source files: those that the line records name, from one folder and no other.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use minibpf::explain::html::Source;
use minibpf::plan::Plan;
use minibpf::spec::Spec;

use crate::cmd::failure::{Exit, Failure};

/// Bytes: of one file, and of all.
const LARGEST: u64 = 1 << 20;
const LARGEST_SUM: usize = 4 << 20;

/// Source files, and where they were.
#[derive(Default)]
pub(super) struct Found {
    pub(super) sources: Vec<Source>,
    pub(super) paths: Vec<PathBuf>,
    /// Files of the right name that are not what the object was compiled from.
    pub(super) others: Vec<PathBuf>,
}

/// The lines that the records name: of each file the number and the text.
type Named<'s> = BTreeMap<&'s str, Vec<(u32, &'s str)>>;

/// Reads the files that are there; a file that is not is no failure, since its lines are in the object. `none` as a folder is none; without a
/// folder it is the object's own.
pub(super) fn find(dir: Option<&Path>, object: &Path, spec: &Spec<'_>, plan: Option<&Plan>) -> Result<Found, Failure> {
    match dir {
        Some(dir) if dir == Path::new("none") => Ok(Found::default()),
        Some(dir) => {
            let root = fs::canonicalize(dir).and_then(|root| fs::read_dir(&root).map(|_| root));
            let root = root.map_err(|error| {
                Failure::new(Exit::Usage, format!("--source {}: {error}", dir.display()))
                    .hint("name a folder that can be read, or none")
            })?;
            Ok(Folder { dir, root, is_asked_for: true }.read(&named(spec, plan)))
        }
        None => Ok(beside(object).map_or_else(Found::default, |folder| folder.read(&named(spec, plan)))),
    }
}

/// The object's own folder; none of standard input.
fn beside(object: &Path) -> Option<Folder<'_>> {
    let dir = object.parent().filter(|_| object != Path::new("-"))?;
    let root = fs::canonicalize(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }).ok()?;
    Some(Folder { dir, root, is_asked_for: false })
}

/// The files that the line records name, of the programs that the page shows.
fn named<'s>(spec: &'s Spec<'_>, plan: Option<&Plan>) -> Named<'s> {
    let Some(btf) = &spec.btf else { return Named::new() };
    let records = plan.into_iter().flat_map(Plan::prog_loads).flat_map(|program| &program.line_info);
    let mut named = Named::new();
    for record in records {
        let Some(name) = btf.string(record.file_name_off).filter(|name| !name.is_empty()) else { continue };
        named.entry(name).or_default().push((record.line(), btf.string(record.line_off).unwrap_or_default()));
    }
    named
}

/// Where files are taken from.
struct Folder<'a> {
    /// As the user has named it.
    dir: &'a Path,
    /// The same without symbolic links.
    root: PathBuf,
    /// Whether the user has named it. If not, the object alone decides which files are asked for, and it may be anybody's: then a file must prove
    /// that the object was made of it.
    is_asked_for: bool,
}

impl Folder<'_> {
    fn read(&self, named: &Named<'_>) -> Found {
        let mut found = Found::default();
        let mut sum = 0;
        for (name, lines) in named {
            let Some(path) = self.path(name) else { continue };
            let Some(text) = read_text(&path) else { continue };
            let shown = self.dir.join(path.strip_prefix(&self.root).unwrap_or(&path));
            if !self.is_asked_for && !agrees(&text, lines) {
                found.others.push(shown);
                continue;
            }
            sum += text.len();
            if sum > LARGEST_SUM {
                break;
            }
            found.sources.push(Source { file: (*name).to_owned(), text });
            found.paths.push(shown);
        }
        found
    }

    /// The file in the folder: under its whole name, or under the end of it, since the compiler may have stood elsewhere. What a
    /// symbolic link or `..` leads out of the folder is not taken.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let parts: Vec<_> = Path::new(name)
            .components()
            .filter_map(|part| match part {
                Component::Normal(part) => Some(part),
                _ => None,
            })
            .collect();
        // A name that climbs is the object's, not the user's.
        let climbs = Path::new(name).components().any(|part| part == Component::ParentDir);
        let starts = match (climbs, self.is_asked_for) {
            (false, _) => 0..parts.len(),
            (true, true) => parts.len().saturating_sub(1)..parts.len(),
            (true, false) => return None,
        };
        let candidates = starts.map(|start| self.root.join(parts.iter().skip(start).collect::<PathBuf>()));
        candidates.filter_map(|path| fs::canonicalize(path).ok()).find(|path| self.may_take(path))
    }

    fn may_take(&self, path: &Path) -> bool {
        let Ok(inside) = path.strip_prefix(&self.root) else { return false };
        fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) && (self.is_asked_for || is_source(inside))
    }
}

/// What a compiler of BPF reads, and nothing hidden.
fn is_source(path: &Path) -> bool {
    let known = ["c", "h", "cc", "cpp", "cxx", "hpp", "hh", "inc", "s", "S", "rs", "zig"];
    let is_hidden = |part: &OsStr| part.as_encoded_bytes().starts_with(b".");
    path.extension().is_some_and(|extension| known.iter().any(|known| extension == *known))
        && !path.iter().any(is_hidden)
}

/// Whether every line that the records have stands in the file where they say, and there is one.
fn agrees(text: &str, lines: &[(u32, &str)]) -> bool {
    let in_file: Vec<_> = text.lines().collect();
    let mut told = lines.iter().filter(|(_, text)| !text.trim().is_empty()).peekable();
    let stands = |number: u32, text: &str| {
        let index = (number as usize).checked_sub(1);
        index.and_then(|index| in_file.get(index)).is_some_and(|line| line.trim() == text.trim())
    };
    told.peek().is_some() && told.all(|(number, text)| stands(*number, text))
}

fn read_text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LARGEST).then(|| String::from_utf8_lossy(&bytes).into_owned())
}
