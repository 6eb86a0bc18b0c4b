//! Memory that the kernel shares through a descriptor.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};
use nix::errno::Errno;

use super::SysError;

/// Shared pages; unmapped when dropped. They are only reached through atomics, and through slices that borrow the mapping.
#[derive(Debug)]
pub(crate) struct Mapping {
    pages: MmapRaw,
    writable: bool,
}

impl Mapping {
    /// mmap(2) of `len` bytes from byte `offset` of what `fd` shares.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `EPERM`: not a map that can be mapped, or not with these rights or this length.
    pub(crate) fn new(fd: impl AsFd, offset: usize, len: usize, writable: bool) -> Result<Self, SysError> {
        let error = |errno| SysError { call: "mmap", errno };
        if len == 0 {
            return Err(error(Errno::EINVAL));
        }
        let fd = fd.as_fd().as_raw_fd();
        let mut options = MmapOptions::new();
        options.len(len).offset(offset as u64);
        let pages = if writable { options.map_raw(fd) } else { options.map_raw_read_only(fd) };
        let pages = pages.map_err(|failed| error(failed.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw)))?;
        Ok(Self { pages, writable })
    }

    /// Reads an aligned 64-bit number; all that the writer wrote before it is visible afterwards. `None` outside.
    #[inline]
    pub(crate) fn load_u64(&self, at: usize) -> Option<u64> {
        Some(self.place::<AtomicU64>(at)?.load(Ordering::Acquire))
    }

    /// Writes an aligned 64-bit number, after all that was read before; does nothing outside or in read-only pages.
    pub(crate) fn store_u64(&self, at: usize, value: u64) {
        if self.writable {
            self.store(at, value, AtomicU64::store);
        }
    }

    /// Writes bytes that lie inside writable pages: an aligned number of 2, 4 or 8 bytes at once, so that nobody sees half of it, anything else byte
    /// by byte.
    pub(crate) fn write(&self, at: usize, bytes: &[u8]) {
        match (bytes, self.writable) {
            (_, false) => {}
            (&[a, b], _) if at.is_multiple_of(2) => self.store(at, u16::from_ne_bytes([a, b]), AtomicU16::store),
            (&[a, b, c, d], _) if at.is_multiple_of(4) => {
                self.store(at, u32::from_ne_bytes([a, b, c, d]), AtomicU32::store);
            }
            (&[a, b, c, d, e, f, g, h], _) if at.is_multiple_of(8) => {
                self.store(at, u64::from_ne_bytes([a, b, c, d, e, f, g, h]), AtomicU64::store);
            }
            (bytes, _) => {
                bytes.iter().enumerate().for_each(|(n, byte)| self.store(at.saturating_add(n), *byte, AtomicU8::store));
            }
        }
    }

    /// Stores one number; the caller has looked whether the pages are writable.
    fn store<A: Atomic, T>(&self, at: usize, value: T, store: impl Fn(&A, T, Ordering)) {
        if let Some(place) = self.place::<A>(at) {
            store(place, value, Ordering::Release);
        }
    }

    /// The bytes `at..at + len`, in place; `None` where they do not all lie inside.
    ///
    /// # Safety
    ///
    /// As long as the slice lives nobody writes these bytes: the kernel does not, by a rule that the caller names.
    #[inline]
    pub(super) unsafe fn slice(&self, at: usize, len: usize) -> Option<&[u8]> {
        at.checked_add(len).filter(|end| *end <= self.pages.len())?;
        // SAFETY: the bytes lie inside the mapping, which lives as long as `self` is borrowed, and pages that the kernel maps
        // are initialised; that nobody writes them is the caller's promise.
        Some(unsafe { std::slice::from_raw_parts(self.at(at), len) })
    }

    /// The address of byte `at`. To go where it leads is up to the caller, and unsafe.
    #[inline]
    pub(super) fn at(&self, at: usize) -> *mut u8 {
        self.pages.as_mut_ptr().wrapping_add(at)
    }

    /// A number inside the mapping, aligned as it must be.
    #[inline]
    fn place<A: Atomic>(&self, at: usize) -> Option<&A> {
        let inside = at.checked_add(size_of::<A>()).is_some_and(|end| end <= self.pages.len());
        let aligned = at.is_multiple_of(align_of::<A>());
        // SAFETY: inside the mapping and aligned, as pages are; any bytes make a number, and the kernel writes this one atomically.
        (inside && aligned).then(|| unsafe { &*self.at(at).cast::<A>() })
    }
}

/// The atomic numbers, which any bytes make.
trait Atomic {}
impl Atomic for AtomicU8 {}
impl Atomic for AtomicU16 {}
impl Atomic for AtomicU32 {}
impl Atomic for AtomicU64 {}
