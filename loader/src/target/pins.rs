//! What is pinned where new pins are wanted.

use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::sys::statfs::{FsType, statfs};
use thiserror::Error;

use super::Target;
use crate::sys::{SysError, errno_name};

/// `include/uapi/linux/magic.h`.
const BPF_FS_MAGIC: u32 = 0xcafe_4a11;

/// A directory that cannot take pins.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
pub enum PinDirError {
    /// Only a bpffs can hold pins.
    #[error("{} is not on a bpffs", dir.display())]
    NotBpffs {
        /// The directory asked for.
        dir: PathBuf,
    },
    /// A bpffs takes no names with a dot.
    ///
    /// Kernel: `bpf_lookup()`, `kernel/bpf/inode.c`.
    #[error("{}: a bpffs takes no names with a dot", dir.display())]
    Dotted {
        /// The directory asked for.
        dir: PathBuf,
    },
    /// It cannot be read.
    #[error("{}: {} ({})", dir.display(), source.errno.desc(), errno_name(source.errno))]
    Unreadable {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: SysError,
    },
}

impl Target {
    /// Adds what lies in a directory for pins, and in its `maps`. The directory may be missing, but not the one above it.
    ///
    /// # Errors
    ///
    /// It does not lie on a bpffs, or cannot be read.
    pub fn with_pins(mut self, dir: &Path) -> Result<Self, PinDirError> {
        let above = match dir.parent() {
            Some(above) if above != Path::new("") => above,
            _ => Path::new("."),
        };
        let exists = match file_system(dir) {
            Ok(magic) => is_bpffs(magic, dir).map(|()| true)?,
            Err(source) => match source.errno {
                Errno::ENOENT => {
                    let magic = file_system(above).map_err(|source| unreadable(above, source))?;
                    is_bpffs(magic, dir).map(|()| false)?
                }
                Errno::EPERM if has_dot(dir) => return Err(PinDirError::Dotted { dir: dir.to_owned() }),
                _ => return Err(unreadable(dir, source)),
            },
        };
        if exists {
            self.pinned.insert(dir.to_owned());
            self.pinned.extend(entries(dir)?);
            let maps = dir.join("maps");
            if maps.is_dir() {
                self.pinned.extend(entries(&maps)?);
            }
        }
        Ok(self)
    }
}

/// The magic number of the file system that a path lies on.
fn file_system(path: &Path) -> Result<FsType, SysError> {
    statfs(path).map(|fs| fs.filesystem_type()).map_err(|errno| SysError { call: "statfs", errno })
}

fn is_bpffs(magic: FsType, dir: &Path) -> Result<(), PinDirError> {
    // The width and sign of the field differ from machine to machine.
    if magic.0 as u32 == BPF_FS_MAGIC { Ok(()) } else { Err(PinDirError::NotBpffs { dir: dir.to_owned() }) }
}

fn has_dot(dir: &Path) -> bool {
    let names = dir.components().filter(|part| matches!(part, Component::Normal(_)));
    names.map(|part| part.as_os_str().to_string_lossy()).any(|name| name.contains('.'))
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, PinDirError> {
    let failed = |error: std::io::Error| unreadable(dir, SysError::from_io("readdir", &error));
    let entries = std::fs::read_dir(dir).map_err(failed)?;
    entries.map(|entry| entry.map(|entry| dir.join(entry.file_name())).map_err(failed)).collect()
}

fn unreadable(dir: &Path, source: SysError) -> PinDirError {
    PinDirError::Unreadable { dir: dir.to_owned(), source }
}
