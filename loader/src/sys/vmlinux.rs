//! The running kernel's types, in the kernel's own memory.

use std::ffi::c_void;
use std::fs::File;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// Where the kernel shows its types.
pub const PATH: &str = "/sys/kernel/btf/vmlinux";

/// The bytes of [`PATH`]: mapped, or copied by a kernel that cannot. Reading the 5.5 MB costs 1.4 ms, mapping them nothing but
/// the pages that are looked at.
///
/// Kernel: `btf_sysfs_vmlinux_mmap()`, `kernel/bpf/sysfs_btf.c`. Since 6.16.
#[derive(Debug)]
pub enum Vmlinux {
    /// Pages of the kernel's; unmapped when dropped.
    Mapped(Pages),
    /// A copy.
    Copied(Vec<u8>),
}

/// Mapped pages that nobody writes.
#[derive(Debug)]
pub struct Pages {
    start: NonNull<c_void>,
    len: usize,
}

// SAFETY: nobody writes the pages, so threads may share them.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Vmlinux {
    /// Opens the running kernel's types.
    ///
    /// # Errors
    ///
    /// A kernel without CONFIG_DEBUG_INFO_BTF has none: `ENOENT`.
    pub fn open() -> std::io::Result<Self> {
        let file = File::open(PATH)?;
        let len = file.metadata()?.len() as usize;
        match Pages::map(&file, len) {
            Ok(pages) => Ok(Self::Mapped(pages)),
            Err(_) => std::fs::read(PATH).map(Self::Copied),
        }
    }
}

impl Pages {
    fn map(file: &File, len: usize) -> Result<Self, Errno> {
        let size = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
        // SAFETY: the kernel chooses the address, so no memory of ours is replaced.
        let start = unsafe { mmap(None, size, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE, file, 0) }?;
        Ok(Self { start, len })
    }
}

impl Deref for Vmlinux {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            // SAFETY: `len` bytes are mapped for as long as `self` lives; they are the kernel's own constants, which nobody
            // writes while it runs.
            Self::Mapped(Pages { start, len }) => unsafe { std::slice::from_raw_parts(start.as_ptr().cast(), *len) },
            Self::Copied(bytes) => bytes,
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: these pages were mapped by `map`, and no reference into them outlives `self`.
        let _ = unsafe { munmap(self.start, self.len) };
    }
}
