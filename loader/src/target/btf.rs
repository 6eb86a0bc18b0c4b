//! The types of a kernel, from the running one or from a file.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use object::Endianness;
use object::elf::FileHeader64;
use object::read::elf::{FileHeader, SectionHeader};
use thiserror::Error;

use crate::sys::vmlinux::{self, Vmlinux};

/// The kernel's types, if they are known.
#[derive(Clone, Default)]
pub enum TargetBtf {
    /// They are not, or nothing depends on them.
    #[default]
    None,
    /// BTF.
    Bytes(Vec<u8>),
    /// The running kernel's.
    Running(Arc<Vmlinux>),
    /// The running kernel's cannot be read, for this reason.
    Unreadable(String),
}

impl TargetBtf {
    /// The running kernel's types.
    pub fn running() -> Self {
        match Vmlinux::open() {
            Ok(vmlinux) => Self::Running(Arc::new(vmlinux)),
            Err(error) => Self::Unreadable(format!("{}: {error}", vmlinux::PATH)),
        }
    }

    /// The types, if they are known.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Running(vmlinux) => Some(vmlinux),
            Self::None | Self::Unreadable(_) => None,
        }
    }

    /// The types in a file: BTF alone, or the `.BTF` section of an ELF file such as a vmlinux.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is ELF without types.
    pub fn from_file(path: &Path) -> Result<Self, BtfFileError> {
        let bytes = read(path)?;
        if !bytes.starts_with(b"\x7fELF") {
            return Ok(Self::Bytes(bytes));
        }
        let section = section_of(&bytes, ".BTF").map_err(|error| BtfFileError::Elf(error.to_string()))?;
        section.map(|bytes| Self::Bytes(bytes.to_vec())).ok_or(BtfFileError::NoTypes)
    }
}

/// A file that holds no types.
#[derive(Debug, Error)]
pub enum BtfFileError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// It is ELF, and damaged: how, in words.
    #[error("{0}")]
    Elf(String),
    /// It is ELF that was linked or compiled without types.
    #[error("an ELF file without a section .BTF")]
    NoTypes,
}

/// Bytes: more than a vmlinux with all that a debugger wants has.
const LARGEST: u64 = 2 << 30;

/// A file, unless its first bytes say that it is neither; then those alone, since it may have no end.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    (&mut file).take(64).read_to_end(&mut bytes)?;
    let is_known = [&b"\x7fELF"[..], &[0x9f, 0xeb], &[0xeb, 0x9f]].iter().any(|magic| bytes.starts_with(magic));
    if is_known {
        file.take(LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

impl PartialEq for TargetBtf {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for TargetBtf {}

impl fmt::Debug for TargetBtf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Running(bytes) => write!(f, "{} bytes of the running kernel", bytes.len()),
            Self::Unreadable(why) => write!(f, "Unreadable({why})"),
        }
    }
}

/// The bytes of one section of a little-endian ELF64 file of any machine.
fn section_of<'data>(elf: &'data [u8], name: &str) -> object::Result<Option<&'data [u8]>> {
    let endian = Endianness::Little;
    let sections = FileHeader64::<Endianness>::parse(elf)?.sections(endian, elf)?;
    match sections.section_by_name(endian, name.as_bytes()) {
        Some((_, section)) => section.data(endian, elf).map(Some),
        None => Ok(None),
    }
}
