//! Files read within bounds, and written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Reads a file of at most `limit` bytes, and one more if there is more; `-` is standard input.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)?
    } else {
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?
    };
    Ok(bytes)
}

/// Writes a file beside the one that it is to replace, then gives it that name: whoever reads it never sees half of it, and nothing is left
/// of it on failure. What is no regular file, such as /dev/stdout, is written to as it is.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Through a symbolic link, so that the link stays one.
    let path = found(fs::canonicalize(path))?.unwrap_or_else(|| path.to_owned());
    if found(fs::metadata(&path))?.is_some_and(|metadata| !metadata.is_file()) {
        return OpenOptions::new().write(true).open(&path)?.write_all(bytes);
    }
    let beside = beside(&path)?;
    let result = write_new(&beside, bytes).and_then(|()| fs::rename(&beside, &path));
    if result.is_err() {
        // It may not have come into being.
        let _ = fs::remove_file(&beside);
    }
    result
}

/// What is there, or that nothing is. Of what cannot be looked at nobody knows whether it may be replaced: root would put a page in
/// the place of /dev/null.
fn found<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// `.page.html.1234.part` in the same folder, since rename(2) does not cross file systems.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no name of a file"))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.part", std::process::id()));
    Ok(path.with_file_name(beside))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
