//! Memory that the kernel shares through a descriptor.

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::SysError;

/// Shared pages; unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<c_void>,
    len: usize,
    writable: bool,
}

// SAFETY: the pages belong to the process, not to a thread, and are only reached through atomics, and through slices that
// borrow the mapping.
unsafe impl Send for Mapping {}

impl Mapping {
    /// mmap(2) of `len` bytes from byte `offset` of what `fd` shares.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `EPERM`: not a map that can be mapped, or not with these rights or this length.
    pub fn new(fd: impl AsFd, offset: usize, len: usize, writable: bool) -> Result<Self, SysError> {
        let error = |errno| SysError { call: "mmap", errno };
        let size = NonZeroUsize::new(len).ok_or(error(nix::errno::Errno::EINVAL))?;
        let rights = if writable { ProtFlags::PROT_READ | ProtFlags::PROT_WRITE } else { ProtFlags::PROT_READ };
        // SAFETY: the kernel chooses the address, so no memory of ours is replaced; who gets a Rust reference into the pages
        // borrows the mapping, see below.
        let start =
            unsafe { mmap(None, size, rights, MapFlags::MAP_SHARED, fd, offset as libc::off_t) }.map_err(error)?;
        Ok(Self { start, len, writable })
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never: a mapping has at least a page.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads an aligned 32-bit number; all that the writer wrote before it is visible afterwards. `None` outside.
    #[inline]
    pub fn load_u32(&self, at: usize) -> Option<u32> {
        let place = self.place::<AtomicU32>(at)?;
        // SAFETY: inside the mapping and aligned; the kernel writes this number atomically.
        Some(unsafe { place.as_ref() }.load(Ordering::Acquire))
    }

    /// Reads an aligned 64-bit number; as [`Mapping::load_u32`].
    #[inline]
    pub fn load_u64(&self, at: usize) -> Option<u64> {
        let place = self.place::<AtomicU64>(at)?;
        // SAFETY: as in `load_u32`.
        Some(unsafe { place.as_ref() }.load(Ordering::Acquire))
    }

    /// Writes an aligned 64-bit number, after all that was read before; does nothing outside or in read-only pages.
    pub fn store_u64(&self, at: usize, value: u64) {
        if let (Some(place), true) = (self.place::<AtomicU64>(at), self.writable) {
            // SAFETY: inside the mapping, aligned and writable.
            unsafe { place.as_ref() }.store(value, Ordering::Release);
        }
    }

    /// Writes bytes that lie inside writable pages: an aligned number of 2, 4 or 8 bytes at once, so that nobody sees half of it, anything else byte
    /// by byte.
    pub fn write(&self, at: usize, bytes: &[u8]) {
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

    /// Stores one number in writable pages.
    fn store<A, T>(&self, at: usize, value: T, store: impl Fn(&A, T, Ordering)) {
        if let Some(place) = self.place::<A>(at) {
            // SAFETY: inside the mapping and aligned; `write` has looked whether the pages are writable.
            store(unsafe { place.as_ref() }, value, Ordering::Release);
        }
    }

    /// The bytes `at..at + len`, in place; `None` where they do not all lie inside.
    ///
    /// # Safety
    ///
    /// As long as the slice lives nobody writes these bytes: the kernel does not, by a rule that the caller names.
    #[inline]
    pub(super) unsafe fn slice(&self, at: usize, len: usize) -> Option<&[u8]> {
        at.checked_add(len).filter(|end| *end <= self.len)?;
        // SAFETY: the bytes lie inside the mapping, which lives as long as `self` is borrowed, and pages that the kernel maps
        // are initialised; that nobody writes them is the caller's promise.
        Some(unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast::<u8>().add(at), len) })
    }

    /// The address of byte `at`. To go where it leads is up to the caller, and unsafe.
    #[inline]
    pub(super) fn at(&self, at: usize) -> *mut u8 {
        self.start.as_ptr().cast::<u8>().wrapping_add(at)
    }

    /// A place inside the mapping that is aligned for T.
    #[inline]
    fn place<T>(&self, at: usize) -> Option<NonNull<T>> {
        let inside = at.checked_add(size_of::<T>()).is_some_and(|end| end <= self.len);
        let aligned = at.is_multiple_of(align_of::<T>());
        // SAFETY: inside the mapping.
        (inside && aligned).then(|| unsafe { self.start.byte_add(at).cast() })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: these pages were mapped by `new`, and every reference into them borrows `self`.
        let _ = unsafe { munmap(self.start, self.len) };
    }
}
