//! The running kernel's types, in the kernel's own memory.

use std::fs::File;
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};

/// Where the kernel shows its types.
pub const PATH: &str = "/sys/kernel/btf/vmlinux";

/// The bytes of [`PATH`]: mapped, or copied by a kernel that cannot. Reading the 5.5 MB costs 1.4 ms, mapping them nothing but
/// the pages that are looked at.
///
/// Kernel: `btf_sysfs_vmlinux_mmap()`, `kernel/bpf/sysfs_btf.c`. Since 6.16.
#[derive(Debug)]
pub enum Vmlinux {
    /// Pages of the kernel's; unmapped when dropped.
    Mapped(Mmap),
    /// A copy.
    Copied(Vec<u8>),
}

impl Vmlinux {
    /// Opens the running kernel's types.
    ///
    /// # Errors
    ///
    /// A kernel without `CONFIG_DEBUG_INFO_BTF` has none: `ENOENT`.
    pub fn open() -> std::io::Result<Self> {
        let file = File::open(PATH)?;
        let len = file.metadata()?.len() as usize;
        // SAFETY: these are the kernel's own constants, which nobody writes while it runs, and nobody can cut short.
        match unsafe { MmapOptions::new().len(len).map_copy_read_only(&file) } {
            Ok(pages) => Ok(Self::Mapped(pages)),
            Err(_) => std::fs::read(PATH).map(Self::Copied),
        }
    }
}

impl Deref for Vmlinux {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(pages) => pages,
            Self::Copied(bytes) => bytes,
        }
    }
}
