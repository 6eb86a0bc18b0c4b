//! Whole source files: those that the line records name, from one folder and no other.

use std::collections::BTreeSet;
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

/// Reads the files that are there; a file that is not is no failure, since its lines are in the object.
pub(super) fn read(dir: &Path, spec: &Spec<'_>, plan: &Plan) -> Result<Vec<Source>, Failure> {
    let root = fs::canonicalize(dir).and_then(|root| fs::read_dir(&root).map(|_| root));
    let root = root.map_err(|error| Failure::new(Exit::Usage, format!("--source {}: {error}", dir.display())))?;
    let mut sources = Vec::new();
    let mut sum = 0;
    for file in named(spec, plan) {
        let Some(text) = find(&root, file).and_then(|path| read_text(&path)) else { continue };
        sum += text.len();
        if sum > LARGEST_SUM {
            break;
        }
        sources.push(Source { file: file.to_owned(), text });
    }
    Ok(sources)
}

/// The files that the line records name.
fn named<'s>(spec: &'s Spec<'_>, plan: &Plan) -> BTreeSet<&'s str> {
    let Some(btf) = &spec.btf else { return BTreeSet::new() };
    let records = plan.prog_loads().flat_map(|program| &program.line_info);
    let offsets: BTreeSet<_> = records.map(|record| record.file_name_off).collect();
    offsets.into_iter().filter_map(|offset| btf.string(offset)).filter(|name| !name.is_empty()).collect()
}

/// The file in the folder: under its whole name, or under the end of it, since the compiler may have stood elsewhere. What a
/// symbolic link or `..` leads out of the folder is not taken.
fn find(root: &Path, name: &str) -> Option<PathBuf> {
    let parts: Vec<_> = Path::new(name)
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part),
            _ => None,
        })
        .collect();
    // A name that climbs is the object's, not the user's.
    let climbs = Path::new(name).components().any(|part| part == Component::ParentDir);
    let starts = if climbs { parts.len().saturating_sub(1)..parts.len() } else { 0..parts.len() };
    let candidates = starts.map(|start| root.join(parts.iter().skip(start).collect::<PathBuf>()));
    candidates
        .filter_map(|path| fs::canonicalize(path).ok())
        .find(|path| path.starts_with(root) && fs::metadata(path).is_ok_and(|metadata| metadata.is_file()))
}

fn read_text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LARGEST).then(|| String::from_utf8_lossy(&bytes).into_owned())
}
